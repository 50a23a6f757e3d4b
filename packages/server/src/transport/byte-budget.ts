/**
 * Bytes that all connections of a listener together may hold for messages that have not arrived completely.
 * What a single connection may hold is bounded by the message limit; this bounds the sum, so that many peers
 * that announce much and never finish cannot fill the memory.
 */
export class ByteBudget {
  readonly #bytesMax: number;
  #used = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** False, and nothing taken, where the budget would be exceeded. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#bytesMax) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}
