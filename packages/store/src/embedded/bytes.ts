/** Writes numbers and bytes one after another into memory that is used again and again. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafeSlow(4096);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** 1 byte below 128, 8 bytes for the highest safe integer. */
  varint(value: number): void {
    this.#reserve(8);
    const buffer = this.#buffer;
    let rest = value;
    while (rest >= 0x8000_0000) {
      buffer[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 128) {
      buffer[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    buffer[this.#length++] = rest;
  }

  /** A number of either sign; small ones of both signs are short. Exact for |value| <= 2^52. */
  signed(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  /** The text in UTF-8, with its length before it. */
  text(value: string): void {
    const bytes = Buffer.byteLength(value);
    this.varint(bytes);
    this.#reserve(bytes);
    this.#length += this.#buffer.write(value, this.#length);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** A copy of what was written; the writer begins anew. */
  take(): Buffer {
    const taken = Buffer.allocUnsafe(this.#length);
    this.#buffer.copy(taken, 0, 0, this.#length);
    this.#length = 0;
    return taken;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** Reads what `ByteWriter` wrote. Throws where the bytes end early: they were checked by the disk's checksum. */
export class ByteReader {
  readonly buffer: Buffer;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.buffer = asBuffer(bytes);
  }

  get ended(): boolean {
    return this.offset >= this.buffer.length;
  }

  byte(): number {
    const value = this.buffer[this.offset++];
    if (value === undefined) throw new RangeError("A stored value ends early");
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string {
    const length = this.varint();
    return this.buffer.toString("utf8", this.offset, this.#skip(length));
  }

  bytes(length: number): Buffer {
    return this.buffer.subarray(this.offset, this.#skip(length));
  }

  #skip(length: number): number {
    this.offset += length;
    if (this.offset > this.buffer.length) throw new RangeError("A stored value ends early");
    return this.offset;
  }
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
