import { type Command, type CommandType, type FrameNamed, ProtocolError } from "@hongyan/protocol";
import type { Peer } from "../peer.ts";
import type { Session } from "../session.ts";
import { ack, read } from "./ack.ts";
import { create, update } from "./create.ts";
import { history } from "./history.ts";
import { list } from "./list.ts";
import { add, join, leave, members, remove, role } from "./members.ts";
import { disconnect, ping } from "./ping.ts";
import { presence } from "./presence.ts";
import { receipts } from "./receipts.ts";
import { send } from "./send.ts";
import { sync } from "./sync.ts";
import { users } from "./users.ts";

export type Handler<T extends CommandType> = (peer: Peer, session: Session, command: FrameNamed<T>) => void;

/** A handler per command: a command without one does not compile. */
export const handlers: { readonly [T in CommandType]: Handler<T> } = {
  connect: (peer, _session, command: Command) =>
    peer.reject(command.id, new ProtocolError("bad_request", "already connected")),
  ping,
  send,
  ack,
  read,
  sync,
  history,
  list,
  receipts,
  users,
  create,
  update,
  members,
  add,
  remove,
  role,
  join,
  leave,
  disconnect,
  presence,
};
