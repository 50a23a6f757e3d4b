import { envelopeBytes, eventOverheadBytes, writeEnvelope } from "./envelope.ts";
import type { Recipients } from "./recipients.ts";

/** Where events go: the token of one subject, or many recipients. */
export type Destination = string | Recipients;

interface Batch {
  /** Messages of NATS that carry its events: one per piece of the recipients. */
  readonly copies: number;
  readonly events: Uint8Array[];
  bytes: number;
}

/** Some events of a batch, and their bytes together. */
interface Part {
  readonly events: Uint8Array[];
  bytes: number;
}

/**
 * What is published in one tick, by destination: ten events for one user in a tick leave as one message of NATS. The
 * bytes of an event are shared until the tick ends, when each message takes its copy.
 */
export class Batches {
  readonly #batches = new Map<Destination, Batch>();
  #bytes = 0;

  /** What `flush` is going to send. */
  get bytes(): number {
    return this.#bytes;
  }

  add(destination: Destination, event: Uint8Array): void {
    let batch = this.#batches.get(destination);
    if (batch === undefined) {
      const pieces = typeof destination === "string" ? [] : destination.pieces;
      batch = { copies: Math.max(pieces.length, 1), events: [], bytes: 0 };
      this.#batches.set(destination, batch);
      for (const piece of pieces) this.#bytes += piece.length;
    }
    batch.events.push(event);
    batch.bytes += event.length;
    this.#bytes += batch.copies * (event.length + eventOverheadBytes);
  }

  /** Empties into `send`, one call per message of at most `bytesMax` bytes (or of one event that is larger). */
  flush(
    bytesMax: number,
    send: (destination: Destination, message: Uint8Array, events: number) => void,
  ): void {
    for (const [destination, batch] of this.#batches) {
      for (const piece of typeof destination === "string" ? [undefined] : destination.pieces) {
        const room = bytesMax - envelopeBytes - (piece?.length ?? 0);
        for (const { events, bytes } of cut(batch, room))
          send(destination, writeEnvelope(piece, events, bytes), events.length);
      }
    }
    this.#batches.clear();
    this.#bytes = 0;
  }
}

/** Parts of at most `room` bytes, or of one event. */
function cut(whole: Part, room: number): readonly Part[] {
  if (whole.bytes + whole.events.length * eventOverheadBytes <= room) return [whole];
  const parts: Part[] = [];
  let roomLeft = 0;
  for (const event of whole.events) {
    const bytes = event.length + eventOverheadBytes;
    const last = parts.at(-1);
    if (last === undefined || bytes > roomLeft) {
      parts.push({ events: [event], bytes: event.length });
      roomLeft = room - bytes;
    } else {
      last.events.push(event);
      last.bytes += event.length;
      roomLeft -= bytes;
    }
  }
  return parts;
}
