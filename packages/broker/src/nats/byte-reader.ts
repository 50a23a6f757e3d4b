import { decodeUtf8 } from "@hongyan/protocol";

/** Bytes of another node that mean nothing here. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** Reads what another node wrote, and believes nothing: whatever is not there is `Malformed`. Big-endian. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  /** A position in a log. */
  position(): number {
    const value = this.#view.getFloat64(this.#advance(8));
    if (!Number.isSafeInteger(value) || value < 0) throw new Malformed("not a position");
    return value;
  }

  /** Throws `ProtocolError` where it is not UTF-8. */
  text(): string {
    const length = this.#view.getUint16(this.#advance(2));
    const start = this.#advance(length);
    return decodeUtf8(this.#bytes, start, this.#at);
  }

  /** A view of the next `length` bytes. */
  piece(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, this.#at);
  }

  /** A view of whatever is left. */
  rest(): Uint8Array {
    return this.piece(this.#bytes.length - this.#at);
  }

  #advance(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw new Malformed("cut off");
    this.#at = start + length;
    return start;
  }
}
