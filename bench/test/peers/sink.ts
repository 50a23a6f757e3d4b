import { Outgoing } from "../../src/wire/outgoing.ts";

/** Collects what is written. */
export class Sink extends Outgoing {
  constructor() {
    super(0);
  }

  get bytes(): Buffer {
    return this.out.subarray(0, this.length);
  }

  protected override transmit(): void {}
}

/** Calls `read` with the bytes cut at each position, which must say that they are incomplete, and then with all. */
export function atEveryCut(bytes: Buffer, read: (limit: number) => boolean): boolean {
  for (let limit = 0; limit < bytes.length; limit++) if (read(limit)) return false;
  return read(bytes.length);
}
