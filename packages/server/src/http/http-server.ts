/**
 * The one HTTP port. Held connections are handed on as they arrive, past the framework: a parked poll must cost
 * little more than its socket. Everything else goes to Fastify.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Journal } from "@hongyan/core";
import { ProtocolError } from "@hongyan/protocol";
import fastify, { type FastifyInstance } from "fastify";
import { errorBody, handleErrors, refuseMalformed, sendError } from "../api/errors.ts";
import { formats } from "../api/formats.ts";
import type { HeldConnections } from "../transport/held.ts";
import type { Origins } from "./origins.ts";
import { isInTurn } from "./pipeline.ts";
import { securityHeaders } from "./security-headers.ts";

export interface HttpServerOptions {
  readonly journal: Journal;
  readonly origins: Pick<Origins, "allows">;
  /** Answers requests below `/v1/connections`. */
  readonly held: Pick<HeldConnections, "handle">;
}

export interface HttpServer {
  readonly server: Server;
  /** Routes are added here before `app.ready()`. */
  readonly app: FastifyInstance;
}

export function createHttpServer({ journal, origins, held }: HttpServerOptions): HttpServer {
  const server = createServer({
    // Longer than the 60 s of common proxies: the side that opens requests should be the one that closes.
    keepAliveTimeout: 72_000,
    headersTimeout: 20_000,
    requestTimeout: 60_000,
    noDelay: true,
  });
  const app = fastify({
    serverFactory: (handler) => {
      server.on("request", (request: IncomingMessage, response: ServerResponse) => {
        if (!isHeld(request.url)) {
          if (isInTurn(request, response)) handler(request, response);
        } else if (!origins.allows(request)) refuseOrigin(response);
        else held.handle(request, response);
      });
      return server;
    },
    // Room for a direct conversation id whose every character is percent-encoded.
    routerOptions: { maxParamLength: 512 },
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: false, formats: Object.fromEntries(checks) },
    },
    clientErrorHandler: refuseMalformed,
    frameworkErrors: (error, _request, reply) => {
      sendError(reply, new ProtocolError("bad_request", error.message));
    },
  });
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers(securityHeaders);
  });
  handleErrors(app, journal);
  return { server, app };
}

const checks = Object.entries(formats).map(([name, { validate }]) => [name, validate] as const);

function isHeld(url = ""): boolean {
  const path = "/v1/connections";
  if (!url.startsWith(path)) return false;
  const next = url[path.length];
  return next === undefined || next === "/" || next === "?";
}

function refuseOrigin(response: ServerResponse): void {
  const error = new ProtocolError(
    "forbidden",
    "This server does not serve pages of that origin; see allowedOrigins.",
  );
  response.writeHead(403, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
  response.end(JSON.stringify(errorBody(error)));
}
