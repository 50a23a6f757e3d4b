import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Place } from "./cluster.ts";
import type { Door } from "./doors.ts";
import { WireClient } from "./wire-client.ts";

const answerMsMax = 3000;

/**
 * A device that goes to any node, and to another one whenever something fails, as behind a load balancer. It sends
 * what is in its outbox until it is acknowledged, and keeps what it was shown, by seq.
 */
export class Roamer {
  readonly user: string;
  readonly device: string;
  /** Text by seq, of one conversation. */
  readonly shown = new Map<number, string>();
  readonly acknowledged: string[] = [];
  /** Anything that must not be. */
  readonly faults: string[] = [];
  readonly #nodes: readonly Place[];
  readonly #conversation: string;
  readonly #door: Door;
  readonly #outbox: { readonly id: string; readonly text: string }[] = [];
  #isWanted = true;
  #isUpToDate = false;
  #done: Promise<void> | undefined;

  constructor(nodes: readonly Place[], door: Door, user: string, device: string, conversation: string) {
    this.#nodes = nodes;
    this.#door = door;
    this.user = user;
    this.device = device;
    this.#conversation = conversation;
  }

  start(): void {
    this.#done = this.#roam();
  }

  say(text: string): void {
    this.#outbox.push({ id: `${this.user}.${this.device}:${randomUUID()}`, text });
  }

  /** Everything was sent, and everything up to `head` is here. */
  hasAll(head: number): boolean {
    return this.#outbox.length === 0 && this.#isUpToDate && this.shown.size === head;
  }

  get waiting(): number {
    return this.#outbox.length;
  }

  async stop(): Promise<void> {
    this.#isWanted = false;
    await this.#done;
  }

  async #roam(): Promise<void> {
    for (let at = Math.floor(Math.random() * this.#nodes.length); this.#isWanted; at++) {
      const node = this.#nodes[at % this.#nodes.length] as Place;
      this.#isUpToDate = false;
      let client: WireClient | undefined;
      try {
        client = await inTime(
          WireClient.connect(this.#door, node, {
            user: this.user,
            device: this.device,
            token: node.token(this.user),
          }),
        );
        await this.#live(client);
      } catch {
        await pause(50 + Math.random() * 200);
      } finally {
        client?.cut();
      }
    }
  }

  async #live(client: WireClient): Promise<void> {
    let read = 0;
    const take = (): void => {
      for (; read < client.frames.length; read++) {
        const frame = client.frames[read];
        if (frame?.type !== "message" || frame.conversation !== this.#conversation) continue;
        const text = Buffer.from(frame.body ?? []).toString();
        const known = this.shown.get(frame.seq);
        if (known !== undefined && known !== text) this.faults.push(`${frame.seq}: ${known}, then ${text}`);
        this.shown.set(frame.seq, text);
      }
    };
    const sync = async (): Promise<void> => {
      for (let more = true; more; ) {
        const reply = await inTime(client.ask({ type: "sync", positions: this.#positions() }, "sync.ok"));
        take();
        more = reply.more;
      }
    };
    await sync();
    this.#isUpToDate = true;
    let seenBehind = 0;
    while (this.#isWanted && !client.isClosed) {
      const [next] = this.#outbox;
      if (next !== undefined) {
        const { seq } = await inTime(client.send(this.#conversation, next.text, next.id));
        this.#outbox.shift();
        this.acknowledged.push(next.text);
        const known = this.shown.get(seq);
        if (known !== undefined && known !== next.text)
          this.faults.push(`${seq}: ${known}, sent ${next.text}`);
        this.shown.set(seq, next.text);
      } else {
        await pause(20);
      }
      take();
      const behind = client.of("behind").length;
      if (behind > seenBehind) {
        seenBehind = behind;
        await sync();
      }
      const position = this.#position();
      if (position > 0) client.post({ type: "ack", positions: [[this.#conversation, position]] });
    }
  }

  /** Everything up to here is here. */
  #position(): number {
    let position = 0;
    while (this.shown.has(position + 1)) position++;
    return position;
  }

  #positions(): readonly (readonly [string, number])[] {
    const position = this.#position();
    return position === 0 ? [] : [[this.#conversation, position]];
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, answerMsMax, new Error("no answer in time"));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
