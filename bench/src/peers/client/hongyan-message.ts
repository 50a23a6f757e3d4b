import type { Trust } from "../../load/client.ts";
import { bodyStart } from "../../wire/frame-bytes.ts";
import type { PeerEvents } from "../peer-client.ts";
import { numberOf, senderOf } from "../wire/body.ts";

/** Where a server of ours listens, and what signs logins in. */
export interface HongyanPlace {
  readonly port: number;
  readonly transport: "tcp" | "websocket";
  readonly trust: Trust;
}

/** Of the server's own entries, which are JSON; bodies of the load begin with a digit. */
const brace = 0x7b;

/** Tells of the `message` frame at `start`, unless it is an entry of the server itself. */
export function tellMessage(events: PeerEvents, bytes: Buffer, start: number): void {
  const at = bodyStart(bytes, start);
  if (bytes[at] !== brace) events.message(senderOf(bytes, at), numberOf(bytes, at));
}
