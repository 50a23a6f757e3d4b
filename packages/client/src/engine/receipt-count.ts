/**
 * Step 6 of six, the sender's side: notices receipts that did not arrive. The server numbers the receipts of a
 * session; a number that was passed over, or a total that differs, means that positions must be asked for.
 */
export class ReceiptCount {
  #last = 0;
  /** Something before this one is missing, until a list that was made after it has come. */
  #missingBefore = 0;

  get isMissing(): boolean {
    return this.#missingBefore > 0;
  }

  /** A new session counts from 0, and begins with a list. */
  restart(): void {
    this.#last = 0;
    this.#missingBefore = 0;
  }

  /** A receipt came; true where one before it is missing. Repeated ones are old news. */
  received(ordinal: number): boolean {
    if (ordinal <= this.#last) return false;
    const isMissing = ordinal > this.#last + 1;
    this.#last = ordinal;
    if (isMissing) this.#missingBefore = ordinal;
    return isMissing;
  }

  /** The server says how many there were; true where some did not arrive. */
  differs(total: number): boolean {
    if (total > this.#last) {
      this.#last = total;
      this.#missingBefore = total;
    }
    return this.isMissing;
  }

  /** A list has come that was made when there were `total`. */
  settle(total: number): void {
    this.#last = Math.max(this.#last, total);
    if (total >= this.#missingBefore) this.#missingBefore = 0;
  }
}
