/** What connections of every kind have in common: where they go, and who takes what they bring. */

export type Transport = "tcp" | "websocket" | "poll";

export interface Endpoint {
  readonly transport: Transport;
  readonly port: number;
}

export interface Receiver {
  /** The transport is ready for the first frame. */
  opened(): void;
  /** One frame in `bytes[start, end)`, valid during the call only. */
  frame(bytes: Buffer, start: number, end: number): void;
  /** After the last frame of what has been read at once. */
  settled?(): void;
  /** Called once, last. */
  closed(reason: string): void;
}

/** Delivers the whole frames of a range; returns where the first incomplete one begins. */
export function deliverFrames(receiver: Receiver, bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (end - at >= 4) {
    const next =
      at +
      4 +
      ((((bytes[at] as number) << 24) |
        ((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number)) >>>
        0);
    if (next > end) break;
    receiver.frame(bytes, at, next);
    at = next;
  }
  return at;
}
