import type { Entry, PageLimit } from "../ports.ts";

/** One page being filled: how much a read may return, decided in one place for every store. */
export class Page {
  readonly entries: Entry[] = [];
  readonly #limit: PageLimit;
  #bytes = 0;

  constructor(limit: PageLimit) {
    this.#limit = limit;
  }

  /** Takes the entry if it fits; the first one always does. False: the page is full, without the entry. */
  take(entry: Entry): boolean {
    const bytes = this.#bytes + entry.body.length;
    const full = this.entries.length >= this.#limit.count || bytes > this.#limit.bytes;
    if (full && this.entries.length > 0) return false;
    this.#bytes = bytes;
    this.entries.push(entry);
    return true;
  }
}
