/**
 * One message of NATS:
 *
 *     to one subject:  u8 version │ { u32 length │ event } …
 *     to many:         u8 version │ u32 length │ recipients │ { u32 length │ event } …
 *     a gap:           u8 version
 *
 * Versions: a node reads its own and the one before, and for one release goes on writing the one before, so that two
 * releases can run side by side. Whatever is of an unknown version is dropped.
 */
import { ByteReader, Malformed } from "./byte-reader.ts";

const version = 1;

/** Bytes that a message has beside its recipients and events; what each event costs beside its own bytes. */
export const envelopeBytes = 5;
export const eventOverheadBytes = 4;

export const gapEnvelope: Uint8Array = Uint8Array.of(version);

/** `recipients` undefined: to one subject, which NATS knows. */
export function writeEnvelope(
  recipients: Uint8Array | undefined,
  events: readonly Uint8Array[],
  eventBytes: number,
): Uint8Array {
  const bytes = Buffer.allocUnsafe(
    1 +
      (recipients === undefined ? 0 : 4 + recipients.length) +
      events.length * eventOverheadBytes +
      eventBytes,
  );
  let at = bytes.writeUInt8(version, 0);
  if (recipients !== undefined) {
    at = bytes.writeUInt32BE(recipients.length, at);
    bytes.set(recipients, at);
    at += recipients.length;
  }
  for (const event of events) {
    at = bytes.writeUInt32BE(event.length, at);
    bytes.set(event, at);
    at += event.length;
  }
  return bytes;
}

/** What is behind the version; undefined where the version is unknown. Throws `Malformed` where there is none. */
export function openEnvelope(bytes: Uint8Array): ByteReader | undefined {
  const reader = new ByteReader(bytes);
  return reader.byte() === version ? reader : undefined;
}

export function readRecipients(reader: ByteReader): Uint8Array {
  return reader.piece(reader.uint32());
}

/** The bytes of each event. Throws `Malformed`, before any of them is handed out. */
export function readEvents(reader: ByteReader): Uint8Array[] {
  const events: Uint8Array[] = [];
  while (!reader.isAtEnd) {
    const length = reader.uint32();
    if (length === 0) throw new Malformed("an event without a kind");
    events.push(reader.piece(length));
  }
  return events;
}
