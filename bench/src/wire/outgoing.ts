/**
 * The write side of a connection: frames collect in one buffer, and what a tick has written leaves as one piece in
 * the check phase after it.
 */
const nothing = Buffer.alloc(0);

let dirty: Outgoing[] = [];
let isScheduled = false;

function flushAll(): void {
  isScheduled = false;
  const connections = dirty;
  dirty = [];
  for (const connection of connections) connection.flush();
}

export abstract class Outgoing {
  /** Frames begin behind room for a header of the transport. */
  readonly #headRoom: number;
  #isDirty = false;
  out = nothing;
  length = 0;

  constructor(headRoom: number) {
    this.#headRoom = headRoom;
  }

  /** Makes room for `size` bytes at `length`; the caller writes them into `out` and raises `length`. */
  reserve(size: number): Buffer {
    if (!this.#isDirty) this.#schedule();
    if (this.length === 0) this.length = this.#headRoom;
    const needed = this.length + size;
    if (needed > this.out.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.out.length * 2, 512));
      this.out.copy(grown, 0, 0, this.length);
      this.out = grown;
    }
    return this.out;
  }

  write(frame: Uint8Array): void {
    this.reserve(frame.length).set(frame, this.length);
    this.length += frame.length;
  }

  flush(): void {
    this.#isDirty = false;
    if (this.length > 0) this.transmit();
  }

  /** Sends `out[headRoom, length)` and calls `taken`, now or once there is a way. */
  protected abstract transmit(): void;

  /** The bytes have left; `isReusable` where nobody holds the buffer any more. */
  protected taken(isReusable: boolean): void {
    this.length = 0;
    if (!isReusable) this.out = nothing;
  }

  /** Gives the buffer back: an idle connection holds nothing. */
  release(): void {
    if (this.length === 0) this.out = nothing;
  }

  #schedule(): void {
    this.#isDirty = true;
    dirty.push(this);
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(flushAll);
  }
}
