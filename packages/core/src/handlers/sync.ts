import type { FrameNamed, Reply } from "@hongyan/protocol";
import { limits } from "@hongyan/protocol";
import type { Backlog, Stretch } from "../backlog.ts";
import { isDamaged } from "../damage.ts";
import { conversationLog } from "../keys.ts";
import { lookAtAll, lookAtSome } from "../look.ts";
import { decodeMessage, messageFrame } from "../message.ts";
import type { NodeContext } from "../node-context.ts";
import { endsStay } from "../notice.ts";
import type { PageMakers, Peer } from "../peer.ts";
import type { Entry } from "../ports.ts";
import type { Session } from "../session.ts";
import { conversationFrame } from "../summary.ts";
import { acknowledgePage } from "./ack.ts";
import type { Handler } from "./handlers.ts";

const pageMessages = 500;
const pageBytes = 256 * 1024;
/** Conversations of a page that are read at once. */
const readAheadMax = 8;

/**
 * Everything after this device's cursors, across all conversations, in one round trip. The request for the next
 * page acknowledges the last one.
 */
export const sync: Handler<"sync"> = (peer, session, command) => {
  const { positions = [] } = command;
  if (positions.length === 0) return peer.answerPage(command, () => syncPage(peer, session, command));
  let acknowledged: Promise<void> | undefined;
  // Pages have few places: whoever waits for a commit takes none of them.
  const makers: PageMakers = {
    add: (page) => {
      const begin = (): void => peer.node.pages.add(page, session.backlog !== undefined);
      acknowledged = acknowledgePage(peer, session, positions);
      acknowledged.then(begin, begin);
    },
  };
  const page = async (): Promise<Reply> => {
    await acknowledged;
    return syncPage(peer, session, command);
  };
  peer.answerPage(command, page, makers);
};

async function syncPage(peer: Peer, session: Session, command: FrameNamed<"sync">): Promise<Reply> {
  const { node } = peer;
  node.statistics.syncPages++;
  session.backlog?.use();
  try {
    if (command.counts === true) return await countsPage(peer, session, command.id);
    return await messagesPage(peer, session, command);
  } finally {
    session.backlog?.keep();
    const isOver = session.backlog?.isDone && !session.behind;
    // Nobody would give back what a session holds that has ended meanwhile.
    if (isOver || session.peer !== peer) session.forgetBacklog();
  }
}

async function countsPage(peer: Peer, session: Session, id: number): Promise<Reply> {
  const { node } = peer;
  await reachable(node, session);
  const found = await lookAtAll(node, session);
  let count = 0;
  for (const { conversation, upTo } of found.slice(0, limits.pageMessagesMax)) {
    const frame = await conversationFrame(node, session, conversation, id, upTo);
    if (frame === undefined) continue;
    peer.push(frame);
    count++;
  }
  return { type: "sync.ok", id, count, more: found.length > limits.pageMessagesMax };
}

async function messagesPage(peer: Peer, session: Session, command: FrameNamed<"sync">): Promise<Reply> {
  const { node } = peer;
  // From here on new entries are pushed again, those of other nodes too. Done before the log is read: what is
  // committed meanwhile is either found or pushed, or both, and never missed (G4).
  const wasBehind = session.behind;
  session.behind = false;
  try {
    await reachable(node, session);
    const page = new Page(peer, command);
    const more = await fill(peer, session, page);
    if (more) {
      session.behind = true;
      session.toldBehindMs = node.clock.now();
    }
    return { type: "sync.ok", id: command.id, count: page.count, more };
  } catch (error) {
    session.forgetBacklog();
    if (wasBehind) session.behind = true;
    throw error;
  }
}

/** Resolves when events of other nodes reach the session. */
async function reachable({ sessions }: NodeContext, { identity }: Session): Promise<void> {
  const subscribing = sessions.subscribing(identity.domain, identity.user);
  if (subscribing !== undefined) await subscribing;
}

/** One page being filled. */
class Page {
  readonly id: number;
  count = 0;
  messagesLeft: number;
  bytesLeft: number;
  /** Conversations that were looked at for this page. */
  readonly visited = new Set<string>();
  /** The next request acknowledges this page: it must be able to name every conversation of it. */
  conversationsLeft: number = limits.positionsMax;

  constructor({ node }: Peer, { id, limit, bytes }: FrameNamed<"sync">) {
    this.id = id;
    this.messagesLeft = Math.min(Math.max(limit ?? pageMessages, 1), limits.pageMessagesMax);
    this.bytesLeft = Math.min(Math.max(bytes ?? pageBytes, 1), node.settings.outboxBytesMax);
  }

  get hasRoom(): boolean {
    return this.messagesLeft > 0 && this.bytesLeft > 0 && this.conversationsLeft > 0;
  }

  /** The next ones of the backlog that this page may have room for. */
  next(backlog: Backlog): Stretch[] {
    const batch: Stretch[] = [];
    let messages = 0;
    for (const stretch of backlog.values()) {
      if (this.visited.has(stretch.conversation)) continue;
      batch.push(stretch);
      messages += stretch.upTo - stretch.after;
      if (messages >= this.messagesLeft || batch.length >= this.conversationsLeft) break;
    }
    return batch;
  }
}

/**
 * Fills a page from what the session remembers, and by a look at all conversations where that does not suffice; false:
 * nothing is left, and everything is pushed from here on.
 */
async function fill(peer: Peer, session: Session, page: Page): Promise<boolean> {
  const { node } = peer;
  let { backlog } = session;
  let isFresh = false;
  if (backlog !== undefined) noteWindows(backlog, session);
  for (;;) {
    if (backlog === undefined) {
      backlog = session.beginBacklog(node.backlogs);
      for (const stretch of await lookAtAll(node, session)) backlog.found(stretch);
      isFresh = true;
    }
    const batch = page.next(backlog);
    if (batch.length > 0) {
      if (!page.hasRoom) return true;
      const isKnown = isFresh && batch.every(({ isFound }) => isFound);
      const stretches = isKnown ? batch : await lookAtSome(node, session, backlog, batch);
      for (const { conversation } of batch) page.visited.add(conversation);
      if (!(await sendStretches(peer, session, page, backlog, stretches))) return true;
      continue;
    }
    // Where events may be lost, only a look at all says that nothing is left.
    if (backlog.isWhole && (isFresh || node.repair === undefined)) return false;
    if (!page.hasRoom || session.peer !== peer) return true;
    backlog = undefined;
  }
}

/** What was pushed and is not acknowledged is sent as well. */
function noteWindows(backlog: Backlog, { windows }: Session): void {
  if (windows === undefined) return;
  for (const [conversation, { pushed }] of windows) backlog.note(conversation, pushed);
}

/**
 * One after the other, and reads ahead: while the entries of one are written, the store looks for those of the next ones.
 * Where a node is busy each answer of the store takes its time, and a page of many conversations would take as many. How
 * many it reads ahead grows with what the page has taken: one that a few large messages fill throws as few away.
 * False: there is more than the page has room for.
 */
async function sendStretches(
  peer: Peer,
  session: Session,
  page: Page,
  backlog: Backlog,
  stretches: readonly Stretch[],
): Promise<boolean> {
  const { domain, user } = session.identity;
  const read = (stretch: Stretch, count: number): Promise<Entry[] | undefined> => {
    const limit = { count, bytes: page.bytesLeft };
    const reading = peer.node.store
      .read(conversationLog(domain, stretch.conversation), stretch.after, limit)
      .catch(ofDamaged);
    reading.catch(ignore); // It may come to nobody's use.
    return reading;
  };
  const ahead: Promise<Entry[] | undefined>[] = [];
  for (const [at, stretch] of stretches.entries()) {
    if (!page.hasRoom) return false;
    let room = page.messagesLeft;
    for (const [nth, next] of stretches.slice(at, at + Math.min(readAheadMax, at + 2)).entries()) {
      if (room <= 0) break;
      if (nth === ahead.length) ahead.push(read(next, room));
      room -= next.upTo - next.after;
    }
    const entries = await ahead.shift();
    if (entries === undefined || entries.length === 0) {
      // One that has lost entries stays where it is, and does not keep the others from coming; so does a trimmed one.
      backlog.drop(stretch.conversation, stretch.upTo);
    } else {
      const last = sendEntries(peer, user, page, stretch, entries);
      backlog.sent(stretch.conversation, last);
      if (last < stretch.upTo) return false;
    }
  }
  return true;
}

/** Returns the seq of the last one that was sent. */
function sendEntries(
  peer: Peer,
  user: string,
  page: Page,
  { conversation, after, upTo }: Stretch,
  entries: readonly Entry[],
): number {
  let last = after;
  for (const entry of entries) {
    // An entry larger than what is left waits for the next page, unless this page is empty.
    if (entry.seq > upTo || page.messagesLeft <= 0 || (entry.body.length > page.bytesLeft && page.count > 0))
      break;
    const message = decodeMessage(conversation, entry);
    peer.write(messageFrame(message, page.id));
    page.count++;
    page.messagesLeft--;
    page.bytesLeft -= entry.body.length;
    last = entry.seq;
    // Removed after the memberships were read: what follows is not for them. The next page knows.
    if (endsStay(message, user)) break;
  }
  if (last > after) page.conversationsLeft--;
  return last;
}

function ignore(): void {}

function ofDamaged(error: unknown): undefined {
  if (!isDamaged(error)) throw error;
}
