import { type FrameNamed, isId, ProtocolError, type Reply } from "@hongyan/protocol";
import { recordKeys } from "../keys.ts";
import type { Peer } from "../peer.ts";
import { decodeRecord, type UserRecord } from "../record.ts";
import type { Session } from "../session.ts";
import type { Handler } from "./handlers.ts";

const pageMax = 200;

/** Names of users, or the directory of the domain where it is allowed. */
export const users: Handler<"users"> = (peer, session, command) =>
  peer.answerPage(command, () => usersPage(peer, session, command));

async function usersPage(peer: Peer, session: Session, command: FrameNamed<"users">): Promise<Reply> {
  const { store, settings } = peer.node;
  const { domain } = session.identity;
  const prefix = recordKeys.users(domain);
  if (command.users !== undefined) {
    const ids = command.users.filter(isId);
    const rows = await store.records(ids.map((user) => recordKeys.user(domain, user)));
    ids.forEach((user, at) => {
      const row = rows[at];
      peer.push({
        type: "user",
        id: command.id,
        user,
        name: row === undefined ? undefined : decodeRecord<UserRecord>(row.value).name,
      });
    });
    return { type: "users.ok", id: command.id, count: ids.length };
  }
  if (!settings.userDirectory) throw new ProtocolError("forbidden", "this server does not list its users");
  const limit = Math.min(Math.max(command.limit ?? pageMax, 1), pageMax);
  const rows = await store.list(prefix, command.after === undefined ? "" : prefix + command.after, limit);
  for (const { key, value } of rows) {
    peer.push({
      type: "user",
      id: command.id,
      user: key.slice(prefix.length),
      name: decodeRecord<UserRecord>(value).name,
    });
  }
  return {
    type: "users.ok",
    id: command.id,
    count: rows.length,
    next: rows.length < limit ? undefined : rows.at(-1)?.key.slice(prefix.length),
  };
}
