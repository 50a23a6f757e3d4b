import {
  directConversationId,
  type FrameNamed,
  isId,
  limits,
  ProtocolError,
  type Reply,
} from "@hongyan/protocol";
import { recordKeys } from "../keys.ts";
import type { PageMakers, Peer } from "../peer.ts";
import type { Session } from "../session.ts";
import type { Handler } from "./handlers.ts";

/** It waits for other nodes, and must not keep a place of those who read from the store. */
const atOnce: PageMakers = { add: (page) => void page() };

/** Who of these is online, and with `watch` from now on whenever that changes. */
export const presence: Handler<"presence"> = (peer, session, command) =>
  peer.answerPage(command, () => answer(peer, session, command), atOnce);

async function answer(peer: Peer, session: Session, command: FrameNamed<"presence">): Promise<Reply> {
  const { node } = peer;
  const { domain } = session.identity;
  if (!node.settings.presence) throw new ProtocolError("forbidden", "this server does not say who is online");
  if (command.watch === true && command.users.length > limits.watchedMax)
    throw new ProtocolError("bad_request", `at most ${limits.watchedMax} users can be watched`);
  const users = await visible(peer, session, [...new Set(command.users.filter(isId))]);
  const online =
    command.watch === true
      ? await node.presence.watch(session, users)
      : await node.presence.online(domain, users);
  for (const user of online) peer.push({ type: "online", id: command.id, user, online: true });
  return { type: "presence.ok", id: command.id, count: online.length };
}

/** Where the server has no directory for users, they see only those whom they have a direct conversation with. */
async function visible(peer: Peer, session: Session, users: readonly string[]): Promise<readonly string[]> {
  const { store, settings } = peer.node;
  if (settings.userDirectory) return users;
  const { domain, user } = session.identity;
  const rows = await store.records(
    users.map((other) => recordKeys.membership(domain, user, directConversationId(user, other))),
  );
  return users.filter((other, at) => other === user || rows[at] !== undefined);
}
