import type { FrameNamed, Reply } from "@hongyan/protocol";
import { limits } from "@hongyan/protocol";
import { isDamaged } from "../damage.ts";
import { introduced } from "../introduction.ts";
import { deliveredReader } from "../keys.ts";
import { memberships } from "../memberships.ts";
import { decodeMessage, messageFrame } from "../message.ts";
import { endsStay } from "../notice.ts";
import type { Peer } from "../peer.ts";
import type { Session } from "../session.ts";
import { conversationFrame } from "../summary.ts";
import { acknowledgePage } from "./ack.ts";
import type { Handler } from "./handlers.ts";

const pageMessages = 500;
const pageBytes = 256 * 1024;

/** A conversation in which a device has something to read. */
interface Backlog {
  readonly conversation: string;
  readonly log: string;
  readonly after: number;
  readonly upTo: number;
}

/**
 * Everything after this device's cursors, across all conversations, in one round trip. The request for the next
 * page acknowledges the last one.
 */
export const sync: Handler<"sync"> = (peer, session, command) =>
  peer.answerPage(command, () => syncPage(peer, session, command));

async function syncPage(peer: Peer, session: Session, command: FrameNamed<"sync">): Promise<Reply> {
  const { node } = peer;
  node.statistics.syncPages++;
  if (command.positions !== undefined && command.positions.length > 0)
    await acknowledgePage(peer, session, command.positions);
  // From here on new entries are pushed again, those of other nodes too. Done before the log is read: what is
  // committed meanwhile is either found or pushed, or both, and never missed (G4).
  const wasBehind = session.behind;
  if (command.counts !== true) session.behind = false;
  try {
    const subscribing = node.sessions.subscribing(session.identity.domain, session.identity.user);
    if (subscribing !== undefined) await subscribing;
    const backlogs = await findBacklogs(peer, session);
    if (command.counts === true) return await sendCounts(peer, session, command.id, backlogs);
    const page = await sendMessages(peer, session, command, backlogs);
    if (page.more) {
      session.behind = true;
      session.toldBehindMs = node.clock.now();
    }
    return { type: "sync.ok", id: command.id, ...page };
  } catch (error) {
    if (wasBehind) session.behind = true;
    throw error;
  }
}

async function findBacklogs(peer: Peer, session: Session): Promise<Backlog[]> {
  const { store } = peer.node;
  const { domain, user } = session.identity;
  const parts = await memberships(store, domain, user);
  const logs = parts.map(({ log }) => log);
  await introduced(peer.node, session, logs);
  const reader = deliveredReader(user, session.device);
  const [heads, positions] = await Promise.all([
    store.heads(logs),
    store.positions(logs.map((log) => ({ log, reader }))),
  ]);
  const backlogs: Backlog[] = [];
  parts.forEach(({ conversation, log, member }, at) => {
    const after = Math.max(positions[at] ?? 0, member.since - 1);
    const upTo = Math.min(heads[at] ?? 0, member.until ?? Number.MAX_SAFE_INTEGER);
    if (after < upTo) backlogs.push({ conversation, log, after, upTo });
  });
  return backlogs;
}

async function sendCounts(
  peer: Peer,
  session: Session,
  id: number,
  backlogs: readonly Backlog[],
): Promise<Reply> {
  let count = 0;
  for (const { conversation, upTo: seq } of backlogs.slice(0, limits.pageMessagesMax)) {
    const frame = await conversationFrame(peer.node, session, conversation, id, seq);
    if (frame === undefined) continue;
    peer.push(frame);
    count++;
  }
  return { type: "sync.ok", id, count, more: backlogs.length > limits.pageMessagesMax };
}

function ofDamaged(error: unknown): undefined {
  if (!isDamaged(error)) throw error;
}

async function sendMessages(
  peer: Peer,
  session: Session,
  command: FrameNamed<"sync">,
  backlogs: readonly Backlog[],
): Promise<{ count: number; more: boolean }> {
  const { store, settings } = peer.node;
  let messagesLeft = Math.min(Math.max(command.limit ?? pageMessages, 1), limits.pageMessagesMax);
  let bytesLeft = Math.min(Math.max(command.bytes ?? pageBytes, 1), settings.outboxBytesMax);
  let count = 0;
  // The next request acknowledges this page: it must be able to name every conversation of it.
  let conversationsLeft: number = limits.positionsMax;
  for (const { conversation, log, after, upTo } of backlogs) {
    if (messagesLeft <= 0 || bytesLeft <= 0 || conversationsLeft-- <= 0) return { count, more: true };
    const entries = await store.read(log, after, { count: messagesLeft, bytes: bytesLeft }).catch(ofDamaged);
    // One that has lost entries stays where it is, and does not keep the others from coming.
    if (entries === undefined) continue;
    let last = after;
    for (const entry of entries) {
      if (entry.seq > upTo) break;
      // An entry larger than what is left waits for the next page, unless this page is empty.
      if (entry.body.length > bytesLeft && count > 0) return { count, more: true };
      const message = decodeMessage(conversation, entry);
      peer.write(messageFrame(message, command.id));
      count++;
      messagesLeft--;
      bytesLeft -= entry.body.length;
      last = entry.seq;
      // Removed after the memberships were read: what follows is not for them. The next page knows.
      if (endsStay(message, session.identity.user)) break;
    }
    if (last < upTo && entries.length > 0) return { count, more: true };
  }
  return { count, more: false };
}
