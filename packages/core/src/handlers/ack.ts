import { type FrameNamed, type Positions, ProtocolError } from "@hongyan/protocol";
import type { AdvanceTicket } from "../committer.ts";
import type { Conversation, Member } from "../conversation.ts";
import { deliveredReader, readReader } from "../keys.ts";
import type { Peer } from "../peer.ts";
import type { Advance } from "../ports.ts";
import type { Session } from "../session.ts";
import type { Handler } from "./handlers.ts";

/** Step 4 of six: this device's application has everything up to these positions. Step 5 is the answer. */
export const ack: Handler<"ack"> = (peer, session, command) =>
  acknowledge(peer, session, command, "delivered");

/** The user has read up to these positions, on whichever device. */
export const read: Handler<"read"> = (peer, session, command) => acknowledge(peer, session, command, "read");

function acknowledge(
  peer: Peer,
  session: Session,
  command: FrameNamed<"ack"> | FrameNamed<"read">,
  kind: "delivered" | "read",
): void {
  peer.node.statistics.acks++;
  const refusal = tooMuchWaits(peer);
  if (refusal !== undefined) return peer.reject(command.id, refusal);
  const conversations = residents(peer, session, command.positions);
  const done: Acknowledged = {
    committed: () => {
      // Where it is `sync` that acknowledges, the page that follows ends it.
      if (session.backlog?.isDone && !session.behind) session.forgetBacklog();
      peer.reply({ type: kind === "delivered" ? "ack.ok" : "read.ok", id: command.id });
    },
    failed: () => peer.reject(command.id, new ProtocolError("unavailable", undefined, 1000)),
  };
  if (conversations !== undefined)
    return advance(peer, session, command.positions, conversations, kind, done);
  peer.pending++;
  loadAll(peer, session, command.positions).then(
    (loaded) => {
      peer.pending--;
      advance(peer, session, command.positions, loaded, kind, done);
    },
    (error: unknown) => {
      peer.pending--;
      peer.reject(command.id, peer.node.asRefusal(error));
    },
  );
}

/** The same for `sync`, which acknowledges the page before. Resolves once durable. */
export async function acknowledgePage(peer: Peer, session: Session, positions: Positions): Promise<void> {
  const refusal = tooMuchWaits(peer);
  if (refusal !== undefined) throw refusal;
  const conversations = await loadAll(peer, session, positions);
  await new Promise<void>((resolve, reject) => {
    advance(peer, session, positions, conversations, "delivered", {
      committed: resolve,
      failed: () => reject(new ProtocolError("unavailable", undefined, 1000)),
    });
  });
}

/** Positions wait for the store as messages do, and are refused as they are (G9): the device says them again. */
function tooMuchWaits({ node }: Peer): ProtocolError | undefined {
  if (node.committer.waitingBytes <= node.settings.commitBytesMax) return undefined;
  return new ProtocolError("overloaded", "too much waits for the store", 200);
}

interface Acknowledged {
  readonly committed: () => void;
  readonly failed: () => void;
}

type Loaded = readonly (Conversation | undefined)[];

function residents(peer: Peer, session: Session, positions: Positions): Loaded | undefined {
  const conversations: Conversation[] = [];
  for (const [id, position] of positions) {
    const conversation = peer.node.conversations.resident(session.identity.domain, id);
    if (conversation === undefined || position > conversation.head) return undefined;
    conversations.push(conversation);
  }
  return conversations;
}

/** Whoever has more than this node knows of has it from the store: its word is not cut down to an old head. */
function loadAll({ node }: Peer, { identity }: Session, positions: Positions): Promise<Loaded> {
  return Promise.all(
    positions.map(async ([id, position]) => {
      const loaded = await node.conversations.load(identity.domain, id);
      if (loaded === undefined || position <= loaded.head) return loaded;
      return (await node.conversations.current(identity.domain, [id]))[0];
    }),
  );
}

/**
 * Conversations in which the user has no part are passed over: a device may acknowledge what it was removed from.
 * Positions beyond the head are brought down to it, so that nobody acknowledges what does not exist yet (G5).
 */
function advance(
  peer: Peer,
  session: Session,
  positions: Positions,
  conversations: Loaded,
  kind: "delivered" | "read",
  done: Acknowledged,
): void {
  const { user } = session.identity;
  const reader = kind === "delivered" ? deliveredReader(user, session.device) : readReader(user);
  const advances: Advance[] = [];
  const moves: Move[] = [];
  for (let i = 0; i < positions.length; i++) {
    const conversation = conversations[i];
    const member = conversation?.reader(user);
    if (conversation === undefined || member === undefined) continue;
    if (!conversation.isCurrent) return fail(moves, done);
    const position = Math.min(
      (positions[i] as readonly [string, number])[1],
      member.until ?? conversation.head,
    );
    if (position < member.since) continue;
    conversation.busy++;
    advances.push({ log: conversation.log, reader, position });
    moves.push({ conversation, member, position, before: member[kind] });
  }
  if (advances.length === 0) return done.committed();
  peer.node.committer.advance(advances, new CursorTicket(peer, session, moves, kind, done));
}

/** What was decided by a conversation that is not known any more is not written. */
function fail(moves: readonly Move[], done: Acknowledged): void {
  for (const { conversation } of moves) conversation.busy--;
  done.failed();
}

interface Move {
  readonly conversation: Conversation;
  readonly member: Member;
  readonly position: number;
  readonly before: number;
}

class CursorTicket implements AdvanceTicket {
  readonly #peer: Peer;
  readonly #session: Session;
  readonly #moves: readonly Move[];
  readonly #kind: "delivered" | "read";
  readonly #done: Acknowledged;

  constructor(
    peer: Peer,
    session: Session,
    moves: readonly Move[],
    kind: "delivered" | "read",
    done: Acknowledged,
  ) {
    this.#peer = peer;
    this.#session = session;
    this.#moves = moves;
    this.#kind = kind;
    this.#done = done;
  }

  committed(): void {
    const { delivery, receipts } = this.#peer.node;
    for (const { conversation, member, position, before } of this.#moves) {
      conversation.busy--;
      receipts.moved(conversation, member, this.#kind, position, before);
      if (this.#kind === "delivered") delivery.acknowledged(this.#session, conversation.id, position);
    }
    this.#done.committed();
  }

  failed(): void {
    fail(this.#moves, this.#done);
  }
}
