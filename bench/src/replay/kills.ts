import { setTimeout as sleep } from "node:timers/promises";
import type { Community } from "./community.ts";
import type { Nodes } from "./nodes.ts";
import { silenceMs, type Trouble } from "./trouble.ts";

/** Lines that may be said beyond a kill that is due, at the most. */
const beyondMax = 512;

/** The only server is killed at even distances of the script, and each time everybody is waited for. */
export class Kills implements Trouble {
  readonly report: (readonly [string, string])[] = [];
  failure: string | undefined;
  readonly #community: Community;
  readonly #nodes: Nodes;
  /** Lines stored, for each kill that is still to come. */
  readonly #due: number[];
  readonly #beyond: number;
  #isUnderWay = false;

  constructor(community: Community, nodes: Nodes, count: number) {
    const { length } = community.script.lines;
    this.#community = community;
    this.#nodes = nodes;
    this.#due = Array.from({ length: count }, (_, at) => Math.ceil((length * (at + 1)) / (count + 1)));
    this.#beyond = Math.min(beyondMax, Math.ceil(length / (count + 1) / 2));
  }

  get isOver(): boolean {
    return this.#due.length === 0 && !this.#isUnderWay;
  }

  /** Everything said before the next kill leaves something to be killed in the middle of. */
  get linesMax(): number {
    const { length } = this.#community.script.lines;
    const [next] = this.#due;
    return next === undefined ? length : Math.min(length, next + this.#beyond);
  }

  tick(): void {
    const [next] = this.#due;
    if (this.#isUnderWay || next === undefined || this.#community.tally.stored < next) return;
    this.#due.shift();
    this.#isUnderWay = true;
    this.#kill().then(
      () => {
        this.#isUnderWay = false;
      },
      (error: Error) => {
        this.failure = error.message;
      },
    );
  }

  async #kill(): Promise<void> {
    const { tally, script, ledger } = this.#community;
    const percent = Math.round((tally.stored / script.lines.length) * 100);
    const startMs = performance.now();
    tally.calmSinceMs = Number.POSITIVE_INFINITY;
    await this.#nodes.bounce(0);
    const listeningMs = performance.now() - startMs;
    // Until every device has noticed that its connection is gone, and has come back.
    while (!this.#community.isLive) {
      if (performance.now() - startMs > silenceMs(ledger))
        throw new Error(`not everybody came back after a kill: ${this.#community.missing()}`);
      await sleep(2);
    }
    tally.calmSinceMs = performance.now();
    const backMs = tally.calmSinceMs - startMs;
    this.report.push([
      `kill ${this.report.length + 1}`,
      `at ${percent} %: listening again after ${seconds(listeningMs)}, everybody back after ${seconds(backMs)}`,
    ]);
  }
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
