import { type FrameNamed, isConversationId, ProtocolError, type Reply } from "@hongyan/protocol";
import type { Role } from "../backend.ts";
import { recordKeys } from "../keys.ts";
import { notFound } from "../membership.ts";
import { pageOf } from "../page.ts";
import type { Peer } from "../peer.ts";
import { decodeRecord, type UserRecord } from "../record.ts";
import type { Session } from "../session.ts";
import type { Handler } from "./handlers.ts";

const pageMax = 500;

export const members: Handler<"members"> = (peer, session, command) =>
  peer.answerPage(command, () => membersPage(peer, session, command));

async function membersPage(peer: Peer, session: Session, command: FrameNamed<"members">): Promise<Reply> {
  const { domain, user } = session.identity;
  if (!isConversationId(command.conversation)) throw notFound();
  const [conversation] = await peer.node.conversations.current(domain, [command.conversation]);
  if (conversation?.member(user) === undefined) throw notFound();
  const { items, next } = pageOf(
    conversation.members(),
    (member) => member.user,
    command.after,
    command.limit ?? pageMax,
    pageMax,
  );
  const profiles = await peer.node.store.records(items.map((member) => recordKeys.user(domain, member.user)));
  items.forEach((member, at) => {
    const profile = profiles[at];
    peer.push({
      type: "member",
      id: command.id,
      conversation: conversation.id,
      user: member.user,
      role: member.role,
      since: member.since,
      name: profile === undefined ? undefined : decodeRecord<UserRecord>(profile.value).name,
    });
  });
  return { type: "members.ok", id: command.id, count: items.length, next };
}

export const add: Handler<"add"> = (peer, session, command) => {
  const { domain, user } = session.identity;
  const users = command.users.map((added) => ({ user: added, role: "member" as const }));
  peer.answer(
    command,
    peer.node.membership
      .add(domain, command.conversation, user, users)
      .then((count) => ({ type: "add.ok", id: command.id, count })),
  );
};

export const remove: Handler<"remove"> = (peer, session, command) => {
  const { domain, user } = session.identity;
  peer.answer(
    command,
    peer.node.membership
      .remove(domain, command.conversation, user, command.users)
      .then((count) => ({ type: "remove.ok", id: command.id, count })),
  );
};

export const role: Handler<"role"> = (peer, session, command) => {
  const { domain, user } = session.identity;
  if (!isRole(command.role))
    return peer.reject(command.id, new ProtocolError("bad_request", "role is owner, admin or member"));
  peer.answer(
    command,
    peer.node.membership
      .setRole(domain, command.conversation, user, command.user, command.role)
      .then(() => ({ type: "role.ok", id: command.id })),
  );
};

export const join: Handler<"join"> = (peer, session, command) => {
  const { domain, user } = session.identity;
  peer.answer(
    command,
    peer.node.membership
      .join(domain, command.conversation, user)
      .then((head) => ({ type: "join.ok", id: command.id, head })),
  );
};

export const leave: Handler<"leave"> = (peer, session, command) => {
  const { domain, user } = session.identity;
  peer.answer(
    command,
    peer.node.membership
      .leave(domain, command.conversation, user)
      .then(() => ({ type: "leave.ok", id: command.id })),
  );
};

function isRole(text: string): text is Role {
  return text === "owner" || text === "admin" || text === "member";
}
