import type { Connection } from "./ports.ts";

/** Who has an outbox; `close` is told to the client. */
interface Owner {
  readonly connection: Connection;
  readonly isClosed: boolean;
  close(code: "too_slow"): void;
}

/** The share of `outboxBytesMax` below which an outbox is that of a quick reader, and not looked at. */
const noticedShare = 1 / 64;

/**
 * What waits to be written on all connections together. Each has its own bound; this one bounds the sum, so that
 * thousands of slow readers cannot fill the memory together (G8). Only those who have something waiting are known here.
 */
export class Outboxes {
  /** An outbox above this is told of by `add`. */
  readonly noticedBytes: number;
  readonly #bytesMax: number;
  readonly #waiting = new Set<Owner>();
  #bytes = 0;

  constructor(bytesMax: number, outboxBytesMax: number) {
    this.#bytesMax = bytesMax;
    this.noticedBytes = outboxBytesMax * noticedShare;
  }

  /** What all of them held when they were last looked at. */
  get bytes(): number {
    return this.#bytes;
  }

  add(owner: Owner): void {
    this.#waiting.add(owner);
  }

  /**
   * Closes those who hold most, until the rest fits. They come back, read after their positions, and miss nothing. To
   * be called every tick: in between, the sum may exceed the bound by what is written in that time.
   */
  relieve(): void {
    let bytes = 0;
    for (const owner of this.#waiting) {
      const { bufferedBytes } = owner.connection;
      if (owner.isClosed || bufferedBytes <= this.noticedBytes) this.#waiting.delete(owner);
      else bytes += bufferedBytes;
    }
    if (bytes > this.#bytesMax) {
      const sizes = [...this.#waiting].map((owner) => ({ owner, bytes: owner.connection.bufferedBytes }));
      sizes.sort((one, other) => other.bytes - one.bytes);
      for (const size of sizes) {
        if (bytes <= this.#bytesMax) break;
        bytes -= size.bytes;
        size.owner.close("too_slow");
      }
    }
    this.#bytes = bytes;
  }
}
