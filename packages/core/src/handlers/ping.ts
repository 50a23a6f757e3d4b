import type { Handler } from "./handlers.ts";

export const ping: Handler<"ping"> = (peer, session, command) => {
  peer.reply({ type: "ping.ok", id: command.id, time: peer.node.clock.now(), receipts: session.receipts });
};

/** The device says goodbye: its session ends at once instead of waiting for it to come back. */
export const disconnect: Handler<"disconnect"> = (peer, session, command) => {
  peer.reply({ type: "disconnect.ok", id: command.id });
  peer.close("disconnected");
  peer.node.sessions.end(session);
};
