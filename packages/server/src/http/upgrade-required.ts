import { ProtocolError } from "@hongyan/protocol";
import type { FastifyInstance } from "fastify";
import { sendError } from "../api/errors.ts";

/** What the path of the WebSocket answers without an upgrade: mostly a proxy on the way has left it out. */
export function addUpgradeRequired(app: FastifyInstance, path: string): void {
  app.get(path, { schema: { hide: true } }, (_request, reply) =>
    sendError(
      reply.header("upgrade", "websocket"),
      new ProtocolError(
        "bad_request",
        "This path speaks WebSocket, and the request asks for no upgrade: does a proxy on the way pass it on?",
      ),
      426,
    ),
  );
}
