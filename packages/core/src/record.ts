/** The values of records: small JSON documents, written rarely. */
import { decodeUtf8 } from "@hongyan/protocol";
import type { ConversationKind, Role } from "./backend.ts";

export interface ConversationRecord {
  readonly kind: ConversationKind;
  readonly name?: string | undefined;
  readonly open: boolean;
  readonly createdAt: number;
  readonly by: string;
}

/** Kept twice: by conversation (who is in it) and by user (what am I in). */
export interface MemberRecord {
  readonly role: Role;
  /** The first seq that the member may read. */
  readonly since: number;
  /** The last seq that a former member may read; absent for a member. */
  readonly until?: number | undefined;
}

export interface UserRecord {
  readonly name?: string | undefined;
}

/** Which session a device has. */
export interface DeviceRecord {
  readonly session: string;
  /** Those that it had before, the latest first: they do not get it back. */
  readonly before: readonly string[];
}

type AnyRecord = ConversationRecord | MemberRecord | UserRecord | DeviceRecord;

const utf8 = new TextEncoder();

export function encodeRecord(record: AnyRecord): Uint8Array {
  return utf8.encode(JSON.stringify(record));
}

export function decodeRecord<R extends AnyRecord>(value: Uint8Array): R {
  return JSON.parse(decodeUtf8(value, 0, value.length)) as R;
}
