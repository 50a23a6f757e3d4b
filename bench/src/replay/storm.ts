import { setTimeout as sleep } from "node:timers/promises";
import type { Community } from "./community.ts";
import { seconds } from "./kills.ts";
import type { Nodes } from "./nodes.ts";
import { silenceMs, type Trouble } from "./trouble.ts";

const killEveryMs = 2_000;
const natsAwayMs = 5_000;

/**
 * Every two seconds one of several nodes is killed and starts again, whether or not the others are back; PostgreSQL
 * crashes after a quarter and after three quarters of the kills, and half-way NATS is away for five seconds.
 */
export class Storm implements Trouble {
  readonly report: (readonly [string, string])[] = [];
  failure: string | undefined;
  isOver = false;
  readonly #community: Community;
  readonly #nodes: Nodes;
  readonly #kills: number;
  #begun = 0;
  #state: "ahead" | "raging" = "ahead";

  constructor(community: Community, nodes: Nodes, kills: number) {
    this.#community = community;
    this.#nodes = nodes;
    this.#kills = kills;
  }

  /** As much of the script as there is of the storm. */
  get linesMax(): number {
    const { length } = this.#community.script.lines;
    return this.isOver ? length : Math.ceil((length * (this.#begun + 1)) / (this.#kills + 2));
  }

  tick(): void {
    if (this.#state !== "ahead") return;
    this.#state = "raging";
    this.#rage().catch((error: Error) => {
      this.failure = error.message;
    });
  }

  async #rage(): Promise<void> {
    const { tally } = this.#community;
    tally.calmSinceMs = Number.POSITIVE_INFINITY;
    const startMs = performance.now();
    const others: Promise<void>[] = [];
    const starting = this.#nodes.servers.map(() => Promise.resolve());
    const at = (share: number) => Math.floor(this.#kills * share);
    for (let n = 0; n < this.#kills; n++) {
      await sleep(killEveryMs);
      this.#begun++;
      if (n === at(1 / 4) || n === at(3 / 4)) others.push(this.#watched(this.#nodes.crashPostgres()));
      if (n === at(1 / 2)) others.push(this.#watched(this.#nodes.cutNats(natsAwayMs)));
      const victim = n % starting.length;
      await starting[victim];
      starting[victim] = this.#watched(this.#nodes.bounce(victim));
    }
    await Promise.all([...starting, ...others]);
    const calmMs = performance.now();
    while (!this.#community.isLive) {
      if (performance.now() - calmMs > silenceMs(this.#community.ledger))
        throw new Error(`not everybody came back after the storm: ${this.#community.missing()}`);
      await sleep(2);
    }
    tally.calmSinceMs = performance.now();
    this.report.push(
      [
        "storm",
        `${seconds(calmMs - startMs)}: ${this.#kills} kills of ${this.#nodes.servers.length} nodes, PostgreSQL crashed twice, NATS away for ${natsAwayMs / 1000} s`,
      ],
      ["after it", `everybody connected and up to date in ${seconds(tally.calmSinceMs - calmMs)}`],
    );
    this.isOver = true;
  }

  /** What fails while nobody waits for it is told all the same. */
  #watched(trouble: Promise<void>): Promise<void> {
    trouble.catch((error: Error) => {
      this.failure ??= error.message;
    });
    return trouble;
  }
}
