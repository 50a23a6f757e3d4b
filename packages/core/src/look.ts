import type { Backlog, Stretch } from "./backlog.ts";
import { introduced } from "./introduction.ts";
import { conversationLog, deliveredReader, recordKeys } from "./keys.ts";
import type { Membership } from "./memberships.ts";
import type { NodeContext } from "./node-context.ts";
import { decodeRecord, type MemberRecord } from "./record.ts";
import type { Session } from "./session.ts";

/**
 * Where a device has something to read, of all conversations of its user: one head and one position for each of them.
 * Linear by decision: docs/decisions/2026-11-28-no-feed-per-user.md.
 */
export async function lookAtAll(node: NodeContext, session: Session): Promise<Stretch[]> {
  const { domain, user } = session.identity;
  const parts = await node.memberships.of(domain, user);
  const logs = parts.map(({ log }) => log);
  await introduced(node, session, logs);
  const [after, upTo] = await bounds(node, session, parts);
  const found: Stretch[] = [];
  parts.forEach(({ conversation }, at) => {
    const stretch = { conversation, after: after[at] as number, upTo: upTo[at] as number, isFound: true };
    if (stretch.after < stretch.upTo) found.push(stretch);
  });
  return found;
}

/** The same of some conversations of a backlog, which is told what was found: those that are left. */
export async function lookAtSome(
  node: NodeContext,
  session: Session,
  backlog: Backlog,
  stretches: readonly Stretch[],
): Promise<Stretch[]> {
  const { domain, user } = session.identity;
  // What is noted while the store is asked stays.
  const noted = new Map(stretches.map(({ conversation, upTo }) => [conversation, upTo]));
  const keys = stretches.map(({ conversation }) => recordKeys.membership(domain, user, conversation));
  const parts: Membership[] = [];
  (await node.store.records(keys)).forEach((row, at) => {
    const { conversation } = stretches[at] as Stretch;
    const log = conversationLog(domain, conversation);
    if (row === undefined) backlog.drop(conversation, noted.get(conversation) ?? 0);
    else parts.push({ conversation, log, member: decodeRecord<MemberRecord>(row.value) });
  });
  const [after, upTo] = await bounds(node, session, parts);
  const left: Stretch[] = [];
  parts.forEach(({ conversation, member }, at) => {
    const stretch = { conversation, after: after[at] as number, upTo: upTo[at] as number, isFound: true };
    if (stretch.after < stretch.upTo) left.push(stretch);
    else if (member.until === undefined) backlog.settle(conversation, stretch.after);
    else backlog.drop(conversation, noted.get(conversation) ?? 0);
  });
  return left;
}

/** After which seq the device reads in each, and up to which. */
async function bounds(
  { store, conversations }: NodeContext,
  { identity: { user }, device }: Session,
  parts: readonly Membership[],
): Promise<[after: number[], upTo: number[]]> {
  const reader = deliveredReader(user, device);
  const [heads, positions] = await Promise.all([
    conversations.heads(parts.map(({ log }) => log)),
    store.positions(parts.map(({ log }) => ({ log, reader }))),
  ]);
  return [
    parts.map(({ member }, at) => Math.max(positions[at] ?? 0, member.since - 1)),
    parts.map(({ member }, at) => Math.min(heads[at] ?? 0, member.until ?? Number.MAX_SAFE_INTEGER)),
  ];
}
