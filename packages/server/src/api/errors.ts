/** Every refusal of the HTTP door in one shape, from the protocol's error table; the framework's own included. */
import type { Socket } from "node:net";
import type { Journal } from "@hongyan/core";
import { type ErrorName, errors, ProtocolError } from "@hongyan/protocol";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { noSuchPage, wantsPage } from "../http/no-such-page.ts";
import { formats } from "./formats.ts";

export interface ErrorBody {
  readonly error: {
    readonly code: number;
    readonly name: ErrorName;
    readonly message: string;
    readonly retryAfterMs?: number;
  };
}

export function errorBody({ code: name, message, retryAfterMs }: ProtocolError): ErrorBody {
  return {
    error: {
      code: errors[name].code,
      name,
      message,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
  };
}

/** Answers with `error`; `status` where HTTP has a more exact one than the table. */
export function sendError(
  reply: FastifyReply,
  error: ProtocolError,
  status: number = errors[error.code].httpStatus,
): FastifyReply {
  if (error.retryAfterMs !== undefined) reply.header("retry-after", Math.ceil(error.retryAfterMs / 1000));
  if (status === 401) reply.header("www-authenticate", "Bearer");
  return reply
    .code(status)
    .header("cache-control", "no-store")
    .type("application/json; charset=utf-8")
    .send(errorBody(error));
}

/** The error handlers of the whole HTTP server. */
export function handleErrors(app: FastifyInstance, journal: Journal): void {
  app.setErrorHandler((error: FastifyError | ProtocolError, request, reply) => {
    const { refusal, status } = refusalOf(error);
    if (refusal.code === "internal")
      journal.warn("api.failed", { method: request.method, route: request.routeOptions.url, error });
    return sendError(reply, refusal, status);
  });
  app.setNotFoundHandler((request, reply) => {
    // Which of the two it is goes by what is asked for.
    reply.header("vary", "accept");
    if (!wantsPage(request.method, request.headers)) return sendError(reply, noSuchPath(request));
    return reply
      .code(404)
      .header("cache-control", "no-store")
      .type("text/html; charset=utf-8")
      .send(noSuchPage);
  });
}

function noSuchPath(request: FastifyRequest): ProtocolError {
  return new ProtocolError(
    "not_found",
    `No such path: ${request.method} ${request.url.split("?", 1)[0]?.slice(0, 200)}`,
  );
}

/** The table's row for an error of a handler, of the framework or of a validator, and a more exact status if any. */
export function refusalOf(error: FastifyError | ProtocolError): { refusal: ProtocolError; status?: number } {
  if (error instanceof ProtocolError) return { refusal: error };
  if (error.validation !== undefined)
    return { refusal: new ProtocolError("bad_request", validationMessage(error)) };
  const status = error.statusCode ?? 500;
  if (status === 413) return { refusal: new ProtocolError("too_large") };
  if (status === 404) return { refusal: new ProtocolError("not_found") };
  if (status === 415) {
    const message = "the content type must be application/json";
    return { refusal: new ProtocolError("bad_request", message), status };
  }
  if (status === 503) return { refusal: new ProtocolError("overloaded", "The server is stopping.", 1000) };
  if (status >= 400 && status < 500)
    return { refusal: new ProtocolError("bad_request", error.message), status };
  return { refusal: new ProtocolError("internal") };
}

/** In words of those who call, not in paths of the validator: `ttlSeconds in the body must be at most 2678400`. */
function validationMessage(error: FastifyError): string {
  const [first] = error.validation ?? [];
  if (first === undefined) return error.message;
  const { keyword, params, instancePath } = first;
  const whole = wholes[error.validationContext ?? ""] ?? "the request";
  const place = instancePath === "" ? whole : `${memberName(instancePath)} in ${whole}`;
  switch (keyword) {
    case "format": {
      const format = Object.entries(formats).find(([name]) => name === params.format);
      return `${place} must be ${format?.[1].meaning ?? params.format}`;
    }
    case "type":
      return `${place} must be ${[params.type].flat().map(typeName).join(" or ")}`;
    case "minimum":
      return `${place} must be at least ${params.limit}`;
    case "maximum":
      return `${place} must be at most ${params.limit}`;
    case "required":
      return `${place} must have ${JSON.stringify(params.missingProperty)}`;
    case "additionalProperties":
      return `${place} has no member ${JSON.stringify(params.additionalProperty)}`;
    case "enum":
      return `${place} must be one of ${[params.allowedValues].flat().join(", ")}`;
    default:
      return `${place} ${first.message ?? "is not valid"}`;
  }
}

const wholes: Readonly<Record<string, string>> = {
  body: "the body",
  querystring: "the query",
  params: "the path",
  headers: "the headers",
};

/** `/members/0/user` → `members[0].user` */
function memberName(path: string): string {
  return path
    .slice(1)
    .replace(/\/(\d+)(?=\/|$)/g, "[$1]")
    .replaceAll("/", ".");
}

function typeName(type: unknown): string {
  if (type === "integer") return "a whole number";
  if (type === "null") return "nothing";
  return type === "object" || type === "array" ? `an ${type}` : `a ${type}`;
}

/** Answers bytes that are not HTTP; there is no request that the framework could answer. */
export function refuseMalformed(
  error: Error & { code?: string },
  socket: Pick<Socket, "writable" | "end" | "destroy">,
): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [line, refusal] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? ([
          "431 Request Header Fields Too Large",
          new ProtocolError("too_large", "The headers are too long."),
        ] as const)
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ([
            "408 Request Timeout",
            new ProtocolError("bad_request", "The request did not arrive in time."),
          ] as const)
        : (["400 Bad Request", new ProtocolError("bad_request", "This is not an HTTP request.")] as const);
  const body = JSON.stringify(errorBody(refusal));
  socket.end(
    `HTTP/1.1 ${line}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
