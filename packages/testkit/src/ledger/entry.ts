import { type Marker, markerIn } from "./marker.ts";

/** One entry of a conversation's log, as the ledger remembers it. */
export interface LedgerEntry {
  readonly seq: number;
  readonly from: string;
  readonly clientMessageId: string;
  readonly messageType: string;
  /** Absent in what the server itself writes into the log. */
  readonly marker: Marker | undefined;
  readonly text: string;
}

/** Reads the bytes of a stored entry: sender, client message id, type, body, each with its length before it. */
export function readEntry(seq: number, bytes: Uint8Array): LedgerEntry {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const idAt = 1 + view.readUInt8(0);
  const typeAt = idAt + 2 + view.readUInt16BE(idAt);
  const bodyAt = typeAt + 1 + view.readUInt8(typeAt);
  return {
    seq,
    from: view.toString("utf8", 1, idAt),
    clientMessageId: view.toString("utf8", idAt + 2, typeAt),
    messageType: view.toString("utf8", typeAt + 1, bodyAt),
    marker: markerIn(view.subarray(bodyAt)),
    text: view.toString("utf8", bodyAt),
  };
}

/** Entries of the server itself: they never count as unread. */
export function isSystemEntry(entry: LedgerEntry): boolean {
  return entry.messageType.startsWith("hongyan.");
}

export function sameEntry(one: LedgerEntry, other: LedgerEntry): boolean {
  return (
    one.seq === other.seq &&
    one.clientMessageId === other.clientMessageId &&
    one.from === other.from &&
    one.text === other.text
  );
}
