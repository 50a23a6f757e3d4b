/** Which messages a server has confirmed that may do so out of order, and many at once. */
const mask = 0x3fff;

export class Confirms {
  /** Everything up to here is confirmed. */
  #position = 0;
  /** What is confirmed beyond it, by the low bits of its number. */
  readonly #ahead = new Uint8Array(mask + 1);

  /** Calls `onConfirmed` for each message that this confirms for the first time. */
  confirm(n: number, isMultiple: boolean, onConfirmed: (n: number) => void): void {
    for (let at = isMultiple ? this.#position + 1 : n; at <= n; at++) {
      if (at <= this.#position || this.#ahead[at & mask] === 1) continue;
      this.#ahead[at & mask] = 1;
      onConfirmed(at);
    }
    while (this.#ahead[(this.#position + 1) & mask] === 1) this.#ahead[++this.#position & mask] = 0;
  }
}
