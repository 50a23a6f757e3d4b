import type { Socket } from "node:net";
import { openLeanSocket } from "../../wire/lean-socket.ts";
import { Outgoing } from "../../wire/outgoing.ts";

const nothing = Buffer.alloc(0);

/** A TCP connection whose protocol cuts packets out of ranges of the read buffer; only what is incomplete is copied. */
export abstract class PeerSocket extends Outgoing {
  readonly #socket: Socket;
  #carry = nothing;
  #isClosed = false;

  constructor(port: number) {
    super(0);
    this.#socket = openLeanSocket(port, {
      connected: () => this.opened(),
      read: (bytes, count) => this.#read(bytes, count),
      lost: (reason) => this.end(reason),
    });
  }

  /** With a reset: a port of each of many thousand connections would otherwise wait for a minute. */
  close(): void {
    this.#isClosed = true;
    this.#socket.resetAndDestroy();
  }

  /** The connection is of no use any more. */
  protected end(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    this.closed(reason);
  }

  protected override transmit(): void {
    if (this.#isClosed) return this.taken(true);
    this.#socket.write(this.out.subarray(0, this.length));
    // Where the kernel has taken everything at once, nobody holds the buffer any more.
    this.taken(this.#socket.writableLength === 0);
  }

  #read(buffer: Buffer, count: number): void {
    let bytes = buffer;
    let end = count;
    if (this.#carry.length > 0) {
      bytes = Buffer.concat([this.#carry, buffer.subarray(0, count)]);
      end = bytes.length;
      this.#carry = nothing;
    }
    const at = this.parse(bytes, 0, end);
    this.settled();
    if (at < end && !this.#isClosed) this.#carry = Buffer.from(bytes.subarray(at, end));
  }

  protected abstract opened(): void;
  protected abstract closed(reason: string): void;
  /** Takes the whole packets of a range; returns where the first incomplete one begins. */
  protected abstract parse(bytes: Buffer, start: number, end: number): number;
  /** After the last packet of what has been read at once. */
  protected settled(): void {}
}
