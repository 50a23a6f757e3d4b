import { allPages } from "./conversations.ts";
import { conversationLog, recordKeys } from "./keys.ts";
import type { LogId, Store } from "./ports.ts";
import { decodeRecord, type MemberRecord } from "./record.ts";

/** A conversation in which a user has, or has had, a part. */
export interface Membership {
  readonly conversation: string;
  readonly log: LogId;
  readonly member: MemberRecord;
}

/** All conversations of a user. */
export async function memberships(store: Store, domain: string, user: string): Promise<Membership[]> {
  const prefix = recordKeys.memberships(domain, user);
  const rows = await allPages(
    (after) => store.list(prefix, after, 1000),
    (row) => row.key,
  );
  return rows.map(({ key, value }) => {
    const conversation = key.slice(prefix.length);
    return { conversation, log: conversationLog(domain, conversation), member: decodeRecord(value) };
  });
}
