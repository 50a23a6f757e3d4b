/**
 * The highest n such that 1..n have been seen, where numbers arrive almost in order: what runs ahead waits in a ring.
 */
const ringSize = 1 << 13;

export class Position {
  /** Everything up to here has been seen. */
  value: number;
  /** How often a number was seen again. */
  repeated = 0;
  #ahead: Uint8Array | undefined;
  #aheadCount = 0;

  constructor(value = 0) {
    this.value = value;
  }

  /** How many numbers beyond a hole are waiting. */
  get aheadCount(): number {
    return this.#aheadCount;
  }

  /** Whether it was not seen before. */
  see(seq: number): boolean {
    if (seq > this.value + 1) return this.#keep(seq);
    if (seq <= this.value) {
      this.repeated++;
      return false;
    }
    this.value = seq;
    if (this.#aheadCount > 0) this.#follow();
    return true;
  }

  #keep(seq: number): boolean {
    if (seq - this.value >= ringSize)
      throw new Error(`seq ${seq} is more than ${ringSize} ahead of ${this.value}: messages were lost`);
    this.#ahead ??= new Uint8Array(ringSize);
    const slot = seq % ringSize;
    if (this.#ahead[slot] === 1) {
      this.repeated++;
      return false;
    }
    this.#ahead[slot] = 1;
    this.#aheadCount++;
    return true;
  }

  #follow(): void {
    const ahead = this.#ahead as Uint8Array;
    while (this.#aheadCount > 0) {
      const slot = (this.value + 1) % ringSize;
      if (ahead[slot] !== 1) return;
      ahead[slot] = 0;
      this.#aheadCount--;
      this.value++;
    }
  }
}
