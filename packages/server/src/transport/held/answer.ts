import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { errors, ProtocolError } from "@hongyan/protocol";

const methods = "GET, POST, DELETE";
/** How long a browser may remember the answer to a preflight. */
const preflightSeconds = "7200";

/** Answers requests, with what pages of other origins need where they are allowed. */
export class Answerer {
  readonly #origins: ReadonlySet<string>;

  /** `origins`: whose pages may use the connections from elsewhere, `*` for all. */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  answer(
    response: ServerResponse,
    status: number,
    headers: OutgoingHttpHeaders,
    body?: Uint8Array | string,
  ): void {
    if (response.writableEnded || response.destroyed) return;
    const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
    response.writeHead(status, {
      "Cache-Control": "no-store",
      ...this.crossOrigin(response.req),
      ...length,
      ...headers,
    });
    response.end(body);
  }

  /** `{"error":{code,name,message}}` with the status of the error table, or another one. */
  refuse(
    response: ServerResponse,
    error: ProtocolError,
    status: number = errors[error.code].httpStatus,
    headers: OutgoingHttpHeaders = {},
  ): void {
    const { code: name, message, retryAfterMs } = error;
    const body = JSON.stringify({ error: { code: errors[name].code, name, message, retryAfterMs } });
    const retry = retryAfterMs === undefined ? {} : { "Retry-After": String(Math.ceil(retryAfterMs / 1000)) };
    this.answer(response, status, { "Content-Type": "application/json", ...retry, ...headers }, body);
  }

  /** The method is not offered here; a preflight of an allowed origin asks just that and is told. */
  refuseMethod(request: IncomingMessage, response: ServerResponse, allow: string): void {
    const isPreflight =
      request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
    if (isPreflight && this.#isAllowed(request.headers.origin))
      return this.answer(response, 204, preflightHeaders);
    this.refuse(response, new ProtocolError("bad_request", `the methods here are ${allow}`), 405, {
      Allow: allow,
    });
  }

  crossOrigin(request: IncomingMessage): OutgoingHttpHeaders {
    if (this.#origins.size === 0) return {};
    const { origin } = request.headers;
    if (!this.#isAllowed(origin)) return { Vary: "Origin" };
    return {
      Vary: "Origin",
      "Access-Control-Allow-Origin": origin,
      "Access-Control-Expose-Headers": "Hongyan-After, Retry-After",
    };
  }

  #isAllowed(origin: string | undefined): origin is string {
    return origin !== undefined && (this.#origins.has("*") || this.#origins.has(origin));
  }
}

const preflightHeaders: OutgoingHttpHeaders = {
  "Access-Control-Allow-Methods": methods,
  "Access-Control-Allow-Headers": "Content-Type, Last-Event-ID",
  "Access-Control-Max-Age": preflightSeconds,
};
