import type { IncomingMessage, ServerResponse } from "node:http";
import type { Journal } from "@hongyan/core";
import { ProtocolError } from "@hongyan/protocol";
import type { Forwarder, RequestOrigin } from "../../forwarding/forwarder.ts";
import type { Linger } from "../linger.ts";
import { EventStream, type StreamContext } from "./event-stream.ts";
import type { HeldConnection } from "./held-connection.ts";
import { Poll, type PollContext } from "./poll.ts";
import { type HeldRegistry, placeOf } from "./registry.ts";
import { decodeUpload, readBody, type Upload, type UploadLimits } from "./upload.ts";

export interface RequestContext extends PollContext, StreamContext, UploadLimits {
  readonly registry: HeldRegistry;
  readonly linger: Linger;
  /** The way to connections of other nodes; absent where there are none. */
  readonly forwarder: Forwarder | undefined;
  readonly journal: Journal;
  /** A poll is held for a time between these; the spread keeps clients from asking all at once. */
  readonly holdMsMin: number;
  readonly holdMsMax: number;
  /** From 0 to 1, for that spread. */
  readonly jitter: () => number;
}

const root = "/v1/connections";

/** Where a request goes. */
type Route =
  | { readonly name: "elsewhere" }
  | { readonly name: "nowhere" }
  | { readonly name: "all" }
  | { readonly name: "one" | "stream"; readonly id: string };

/** Answers the requests for held connections. */
export class HeldRequests {
  readonly #context: RequestContext;

  constructor(context: RequestContext) {
    this.#context = context;
  }

  /** False where the request is for something else. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const url = request.url ?? "";
    const mark = url.indexOf("?");
    const route = routeOf(mark < 0 ? url : url.slice(0, mark));
    if (route.name === "elsewhere") return false;
    // Requests that were sent at once with one that has ended their socket.
    if (request.socket.destroyed) return true;
    const query = new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
    try {
      this.#dispatch(request, response, route, query);
    } catch (error) {
      this.#refuse(response, error);
    }
    return true;
  }

  #dispatch(
    request: IncomingMessage,
    response: ServerResponse,
    route: Exclude<Route, { name: "elsewhere" }>,
    query: URLSearchParams,
  ): void {
    const { method } = request;
    const { answerer } = this.#context;
    switch (route.name) {
      case "nowhere":
        throw notFound();
      case "all":
        if (method === "POST") return this.#open(request, response);
        return answerer.refuseMethod(request, response, "POST");
      case "one":
        if (method !== "GET" && method !== "POST" && method !== "DELETE")
          return answerer.refuseMethod(request, response, "GET, POST, DELETE");
        break;
      case "stream":
        if (method !== "GET") return answerer.refuseMethod(request, response, "GET");
    }
    const { registry, forwarder } = this.#context;
    const origin = forwarder?.originOf(request) ?? "client";
    const connection = origin === "stray" ? undefined : registry.find(route.id);
    if (connection === undefined) return this.#elsewhere(request, response, route, query, origin);
    if (method === "POST") return this.#upload(request, response, connection, query);
    if (method === "DELETE") return this.#remove(response, connection);
    if (route.name === "stream") return this.#stream(request, response, connection, query);
    this.#poll(response, connection, query);
  }

  /** For a connection that is not here: the node that it names answers. */
  #elsewhere(
    request: IncomingMessage,
    response: ServerResponse,
    { id, name }: Extract<Route, { readonly id: string }>,
    query: URLSearchParams,
    origin: RequestOrigin,
  ): void {
    const { forwarder, answerer } = this.#context;
    const place = placeOf(id);
    // What another node has handed on goes no further: there are no loops.
    if (forwarder === undefined || origin !== "client" || place === undefined || place === forwarder.place)
      throw notFound();
    const path = `${root}/${id}${name === "stream" ? "/stream" : ""}?${query}`;
    forwarder.forward(
      {
        request,
        response,
        path,
        headers: answerer.crossOrigin(request),
        refuse: (error) => {
          if (request.complete) answerer.refuse(response, error);
          else this.#refuseBody(request, response, error);
        },
      },
      place,
    );
  }

  #open(request: IncomingMessage, response: ServerResponse): void {
    const { registry, answerer } = this.#context;
    if (registry.refusal !== undefined) throw this.#refused(registry.refusal);
    this.#read(request, response, (upload) => {
      if (upload === undefined || upload.frames.length === 0)
        throw new ProtocolError("bad_request", "the first frame must be connect");
      if (registry.refusal !== undefined) throw this.#refused(registry.refusal);
      const connection = registry.open(upload.encoding);
      connection.receive(upload.frames);
      answerer.answer(
        response,
        201,
        { "Content-Type": "application/json" },
        JSON.stringify({ connection: connection.id }),
      );
    });
  }

  #upload(
    request: IncomingMessage,
    response: ServerResponse,
    connection: HeldConnection,
    query: URLSearchParams,
  ): void {
    const after = query.has("after") ? wholeNumber(query, "after", 0) : undefined;
    this.#read(request, response, (upload) => {
      if (after !== undefined) acknowledge(connection, after);
      if (upload !== undefined) connection.receive(upload.frames);
      this.#context.answerer.answer(response, 204, {});
    });
  }

  #poll(response: ServerResponse, connection: HeldConnection, query: URLSearchParams): void {
    const after = wholeNumber(query, "after", 0);
    const { holdMsMin, holdMsMax, jitter, registry } = this.#context;
    const holdMs = holdMsMin + (holdMsMax - holdMsMin) * jitter();
    const waitMs = Math.min(holdMs, wholeNumber(query, "wait", Number.MAX_SAFE_INTEGER));
    acknowledge(connection, after);
    if (connection.isOver && connection.backlog.last === after) throw notFound();
    connection.attach(new Poll(this.#context, connection, response, after, registry.context.nowMs + waitMs));
  }

  #stream(
    request: IncomingMessage,
    response: ServerResponse,
    connection: HeldConnection,
    query: URLSearchParams,
  ): void {
    if (connection.encoding !== "text")
      throw new ProtocolError(
        "bad_request",
        "an event stream is text; this connection began with binary frames",
      );
    const lastEventId = request.headers["last-event-id"];
    if (typeof lastEventId === "string" && lastEventId !== "") query.set("after", lastEventId);
    const after = wholeNumber(query, "after", 0);
    acknowledge(connection, after);
    if (connection.isOver && connection.backlog.last === after) throw notFound();
    connection.attach(
      new EventStream(this.#context, connection, response, after, this.#context.registry.context.nowMs),
    );
  }

  #remove(response: ServerResponse, connection: HeldConnection): void {
    this.#context.registry.remove(connection);
    this.#context.answerer.answer(response, 204, {});
  }

  /** Reads and decodes an upload, then runs `use`; `undefined`: the body is empty. */
  #read(request: IncomingMessage, response: ServerResponse, use: (upload: Upload | undefined) => void): void {
    readBody(request, this.#context, (body) => {
      try {
        if ("refused" in body) return this.#refuseBody(request, response, body.refused);
        this.#context.traffic.bytesIn += body.bytes.length;
        if (body.bytes.length === 0) return use(undefined);
        const upload = decodeUpload(request.headers["content-type"], body.bytes);
        if (upload === undefined) return this.#refuseType(response);
        use(upload);
      } catch (error) {
        this.#refuse(response, error);
      }
    });
  }

  /** A fault of ours is written down, and not told to strangers. */
  #refuse(response: ServerResponse, error: unknown): void {
    if (error instanceof ProtocolError) return this.#context.answerer.refuse(response, error);
    this.#context.journal.warn("fault while handling a request", {
      error: error instanceof Error ? error.stack : String(error),
    });
    this.#context.answerer.refuse(response, new ProtocolError("internal"));
  }

  #refuseType(response: ServerResponse): void {
    const error = new ProtocolError(
      "bad_request",
      "the content type must be application/json or application/octet-stream",
    );
    this.#context.answerer.refuse(response, error, 415);
  }

  /** The rest of the body is not wanted: it is thrown away for a moment, so that the answer can be read. */
  #refuseBody(request: IncomingMessage, response: ServerResponse, error: ProtocolError): void {
    this.#context.answerer.refuse(response, error, undefined, { Connection: "close" });
    request.resume();
    this.#context.linger.add(request.socket);
  }

  #refused(message: string): ProtocolError {
    this.#context.traffic.refused++;
    return new ProtocolError("overloaded", message, 5000);
  }
}

function routeOf(path: string): Route {
  if (!path.startsWith(root)) return { name: "elsewhere" };
  if (path.length === root.length) return { name: "all" };
  const [empty, id, last, ...more] = path.slice(root.length).split("/");
  if (empty !== "") return { name: "elsewhere" };
  if (id === undefined || id === "" || more.length > 0) return { name: "nowhere" };
  if (last === undefined) return { name: "one", id };
  return last === "stream" ? { name: "stream", id } : { name: "nowhere" };
}

function acknowledge(connection: HeldConnection, after: number): void {
  switch (connection.acknowledge(after)) {
    case "ok":
      return;
    case "ahead":
      throw new ProtocolError("bad_request", `no frame ${after} was sent on this connection`);
    case "forgotten":
      throw new ProtocolError("conflict", `frames after ${after} were acknowledged and are gone`);
  }
}

function wholeNumber(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (!/^\d{1,15}$/.test(text)) throw new ProtocolError("bad_request", `${name} must be a whole number`);
  return Number(text);
}

function notFound(): ProtocolError {
  return new ProtocolError("not_found", "there is no such connection: connect anew");
}
