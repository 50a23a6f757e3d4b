import type { Receipt } from "../api.ts";

/** Members whose positions are remembered: those that were heard of longest ago are let go. */
const rememberedMax = 10_000;

/** What was last said of each member: a receipt that comes late or twice must not turn ticks back (G5). */
export class ReceiptPositions {
  readonly #known = new Map<string, Receipt>();

  /** The receipt with the highest positions known; undefined where it says nothing new. */
  advance({ conversation, user, delivered, read }: Receipt): Receipt | undefined {
    const key = `${conversation}/${user}`;
    const before = this.#known.get(key);
    if (before !== undefined && before.delivered >= delivered && before.read >= read) return undefined;
    const after = {
      conversation,
      user,
      delivered: Math.max(delivered, before?.delivered ?? 0),
      read: Math.max(read, before?.read ?? 0),
    };
    this.#known.delete(key);
    this.#known.set(key, after);
    if (this.#known.size > rememberedMax) this.#known.delete(this.#known.keys().next().value as string);
    return after;
  }

  forget(): void {
    this.#known.clear();
  }
}
