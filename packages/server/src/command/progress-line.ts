/** How far something is, for people: on a terminal one line that changes, otherwise a line now and then. */

export interface Counted {
  readonly done: { readonly entries: number };
  /** How many there are; 0 where that is not known. */
  readonly entries: number;
}

const otherLinesMs = 5_000;

export class ProgressLine {
  readonly #isTerminal = process.stderr.isTTY === true;
  #words = "";
  #beganAt = 0;
  #shownAt = 0;
  #isOpen = false;

  show(words: string, { done, entries }: Counted): void {
    const now = performance.now();
    const isNew = words !== this.#words;
    if (isNew) {
      this.#words = words;
      this.#beganAt = now;
    }
    if (!isNew && !this.#isTerminal && now - this.#shownAt < otherLinesMs) return;
    this.#shownAt = now;
    const seconds = (now - this.#beganAt) / 1000;
    const rate = seconds < 1 ? 0 : done.entries / seconds;
    const left = entries - done.entries;
    const parts = [`${words}: ${done.entries.toLocaleString("en-US")}`];
    if (rate > 0) parts.push(`${Math.round(rate).toLocaleString("en-US")}/s`);
    if (rate > 0 && left > 0) parts.push(`about ${Math.ceil(left / rate)} s left`);
    const text = parts.join(", ");
    if (this.#isTerminal) process.stderr.write(`\r\u001b[K${text}`);
    else process.stderr.write(`${text}\n`);
    this.#isOpen = this.#isTerminal;
  }

  end(): void {
    if (this.#isOpen) process.stderr.write("\n");
    this.#isOpen = false;
  }
}
