import type { NodeEvent } from "./event.ts";
import { recordKeys, userSubject } from "./keys.ts";
import type { NodeContext } from "./node-context.ts";
import { type DeviceRecord, decodeRecord, encodeRecord } from "./record.ts";
import type { Session } from "./session.ts";

/** Earlier sessions of a device that are remembered. */
const beforeMax = 8;

/**
 * One device has one session, whichever node it is on: the store decides. A session claims its device with its first
 * command, which a connection that was given up on the way never gives; where the store was away or another session
 * claimed at the same moment, with the next one. The record names the session and those before it, so that a claim
 * that was held up does not take the device back. Whoever had it is told by an event, or ends when it is compared with
 * the store.
 */
export function claim(node: NodeContext, session: Session): void {
  if (session.claim === "under way") return;
  session.claim = "under way";
  const { claimId } = session;
  const ended = (version: number | undefined): void => {
    if (session.claimId === claimId) session.claim = version ?? "failed";
  };
  claimDevice(node, session, claimId).then(ended, () => ended(undefined));
}

/** The version of the record that names the session; undefined where another was faster. */
async function claimDevice(
  node: NodeContext,
  session: Session,
  claimId: string,
): Promise<number | undefined> {
  const { identity, device } = session;
  const key = recordKeys.device(identity.domain, identity.user, device);
  const [row] = await node.store.records([key]);
  const last = row && decodeRecord<DeviceRecord>(row.value);
  if (last?.before.includes(claimId)) {
    if (session.claimId === claimId) node.sessions.replace(session, "replaced");
    return undefined;
  }
  // A claim that is said to have failed may have landed all the same.
  const isOwn = last?.session === claimId;
  const earlier = [session.before, isOwn ? undefined : last?.session, ...(last?.before ?? [])];
  const before = [...new Set(earlier.filter((id) => id !== undefined))].slice(0, beforeMax);
  const version = isOwn
    ? row?.version
    : await put(node, key, { session: claimId, before }, row?.version ?? 0);
  // Resumed meanwhile: it claims the device anew, and tells then.
  if (version === undefined || session.claimId !== claimId) return undefined;
  const subject = userSubject(identity.domain, identity.user);
  node.delivery.toUsers([subject], { kind: "claimed", device, session: claimId, before, version });
  return version;
}

async function put(
  { committer }: NodeContext,
  key: string,
  record: DeviceRecord,
  expect: number,
): Promise<number | undefined> {
  const value = encodeRecord(record);
  const { puts } = await committer.transact(() => ({ puts: [{ key, value, expect }], appends: [] }));
  return puts[0];
}

/** The store has given a device to a session: an older one that had it ends. */
export function claimed(
  { sessions }: NodeContext,
  session: Session,
  { device, session: id, before, version }: Omit<Extract<NodeEvent, { kind: "claimed" }>, "kind">,
): void {
  if (session.device !== device || session.claimId === id) return;
  const isOlder = typeof session.claim === "number" && session.claim < version;
  if (isOlder || before.includes(session.claimId)) return sessions.replace(session, "replaced");
  // One that has not claimed the device is mostly a connection that was given up on the way. If it is not, it comes
  // again and claims the device.
  if (session.claim === undefined || session.claim === "failed") sessions.replace(session, "going_away");
}
