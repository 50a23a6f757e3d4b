import type { NodeEvent } from "./event.ts";
import { recordKeys, userSubject } from "./keys.ts";
import type { NodeContext } from "./node-context.ts";
import { type DeviceRecord, decodeRecord, encodeRecord } from "./record.ts";
import type { Session } from "./session.ts";

/** How often a claim is made anew because another node was faster. */
const triesMax = 5;
/** Earlier sessions of a device that are remembered. */
const beforeMax = 8;

/**
 * One device has one session, whichever node it is on: the store decides. A session claims its device when it first
 * reads, which a connection that was given up on the way never does. The record names the session and those before it,
 * so that a claim that was held up does not take the device back. Whoever had it is told by an event, or finds out
 * when it is compared with the store.
 */
export function claim(node: NodeContext, session: Session): void {
  if (node.repair === undefined || session.claim !== undefined) return;
  session.claim = "under way";
  claimDevice(node, session).then(
    (version) => {
      session.claim = version;
    },
    () => {
      session.claim = undefined; // The next read tries again.
    },
  );
}

async function claimDevice(node: NodeContext, session: Session): Promise<number | undefined> {
  const { identity, device } = session;
  const key = recordKeys.device(identity.domain, identity.user, device);
  for (let tries = 0; tries < triesMax; tries++) {
    const [row] = await node.store.records([key]);
    const last = row && decodeRecord<DeviceRecord>(row.value);
    if (last?.before.includes(session.id)) {
      node.sessions.replace(session);
      return undefined;
    }
    const earlier = [session.before, last?.session, ...(last?.before ?? [])];
    const before = [...new Set(earlier.filter((id) => id !== undefined))].slice(0, beforeMax);
    const value = encodeRecord({ session: session.id, before });
    const { puts } = await node.committer.transact(() => ({
      puts: [{ key, value, expect: row?.version ?? 0 }],
      appends: [],
    }));
    const [version] = puts;
    if (version === undefined) continue;
    const subject = userSubject(identity.domain, identity.user);
    node.delivery.toUsers([subject], { kind: "claimed", device, session: session.id, version });
    return version;
  }
  return undefined;
}

/** The store has given a device to a session: an older one that had it ends. */
export function claimed(
  { sessions }: NodeContext,
  session: Session,
  { device, session: id, version }: Omit<Extract<NodeEvent, { kind: "claimed" }>, "kind">,
): void {
  const isOlder = typeof session.claim === "number" && session.claim < version;
  if (isOlder && session.device === device && session.id !== id) sessions.replace(session);
}
