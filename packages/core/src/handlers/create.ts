import { ProtocolError } from "@hongyan/protocol";
import { refusalOfName } from "../plain-text.ts";
import type { Handler } from "./handlers.ts";

export const create: Handler<"create"> = (peer, session, command) => {
  const { membership, settings } = peer.node;
  if (!settings.usersCreateGroups)
    return peer.reject(command.id, new ProtocolError("forbidden", "groups are created by the backend here"));
  const refusal = refusalOfName(command.name);
  if (refusal !== undefined) return peer.reject(command.id, refusal);
  const { domain, user } = session.identity;
  const members = (command.members ?? []).map((member) => ({ user: member, role: "member" as const }));
  const { conversation, name, open } = command;
  peer.answer(
    command,
    membership
      .create(domain, user, { conversation, name, open, members })
      .then((made) => ({ type: "create.ok", id: command.id, ...made })),
  );
};

export const update: Handler<"update"> = (peer, session, command) => {
  const refusal = refusalOfName(command.name);
  if (refusal !== undefined) return peer.reject(command.id, refusal);
  const { domain, user } = session.identity;
  const { name, open } = command;
  peer.answer(
    command,
    peer.node.membership
      .update(domain, command.conversation, user, { name, open })
      .then(() => ({ type: "update.ok", id: command.id })),
  );
};
