import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import { ProtocolError } from "@hongyan/protocol";
import { equalSecrets } from "../auth/api-keys.ts";
import { isInTurn } from "../http/pipeline.ts";
import type { NodeAddress, NodeDirectory } from "./node-directory.ts";

export interface ForwarderOptions {
  readonly directory: NodeDirectory;
  /** A connection to another node that is not there after so long is given up. */
  readonly connectMsMax?: number | undefined;
  /** So is a request in which nothing has moved for so long: longer than a poll is held. */
  readonly silenceMsMax: number;
  /** Requests that may be under way at once; more are refused. */
  readonly requestsMax?: number | undefined;
}

/** A request that another node is to answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Path and query at the other node. */
  readonly path: string;
  /** What this node adds to the answer. */
  readonly headers: OutgoingHttpHeaders;
  /** Answers instead, where no other node does. */
  refuse(error: ProtocolError): void;
}

/** Who sends a request: `stray` says that it comes from a node, and does not know this one. */
export type RequestOrigin = "client" | "node" | "stray";

/** Running totals, and how many there are now. */
export interface Forwards {
  underWay: number;
  total: number;
  /** No node was found, or it gave no answer. */
  failed: number;
}

/** Marks a forwarded request: it holds the key of the node that it is for. Such a request goes no further. */
const mark = "hongyan-forwarded";

/** Everything else stays here: what is hop by hop, what is for the framework, and what was decided already (`Origin`). */
const headersUp = ["last-event-id"] as const;
/** These go where the body goes: the length of one that does not come would take in the next request, of somebody else. */
const headersOfBody = ["content-type", "content-length"] as const;
const headersDown = [
  "content-type",
  "content-length",
  "cache-control",
  "retry-after",
  "allow",
  "hongyan-after",
  "x-accel-buffering",
] as const;

const idleSocketsMax = 256;

/**
 * Hands requests on to the node that they are for, and its answers back, as they come and with what the slower side
 * takes. Where they go only the directory says.
 */
export class Forwarder {
  readonly statistics: Forwards = { underWay: 0, total: 0, failed: 0 };
  readonly #directory: NodeDirectory;
  readonly #connectMsMax: number;
  readonly #silenceMsMax: number;
  readonly #requestsMax: number;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: idleSocketsMax });
  #state: "open" | "closed" = "open";

  constructor(options: ForwarderOptions) {
    this.#directory = options.directory;
    this.#connectMsMax = options.connectMsMax ?? 1000;
    this.#silenceMsMax = options.silenceMsMax;
    this.#requestsMax = options.requestsMax ?? 20_000;
  }

  /** Names this node in what other nodes are to hand on to it. */
  get place(): string {
    return this.#directory.own.place;
  }

  originOf(request: IncomingMessage): RequestOrigin {
    const key = request.headers[mark];
    if (key === undefined) return "client";
    return typeof key === "string" && equalSecrets(key, this.#directory.own.key) ? "node" : "stray";
  }

  /** Has the node at `place` answer. One socket takes few of the places here, however many it asks for at once (G8). */
  forward(exchange: Exchange, place: string): void {
    const { request, response } = exchange;
    if (!isInTurn(request, response)) return;
    if (this.statistics.underWay >= this.#requestsMax)
      return exchange.refuse(new ProtocolError("overloaded", "too many requests for other nodes here", 5000));
    this.statistics.total++;
    this.statistics.underWay++;
    response.once("close", () => this.statistics.underWay--);
    this.#directory.find(place).then((node) => {
      if (response.destroyed) return;
      if (node === undefined || this.#state === "closed") this.#failed(exchange);
      else this.#send(exchange, node);
    });
  }

  /** Ends what is under way; clients ask again, at another node. */
  close(): void {
    this.#state = "closed";
    this.#agent.destroy();
  }

  #send(exchange: Exchange, { url, key }: NodeAddress): void {
    const { request, response, path } = exchange;
    const { hostname, port } = new URL(url);
    const isUpload = request.method === "POST";
    const upstream = httpRequest({
      agent: this.#agent,
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: port === "" ? 80 : port,
      method: request.method,
      path,
      headers: {
        ...picked(request.headers, headersUp),
        ...(isUpload && picked(request.headers, headersOfBody)),
        ...forwardedFor(request),
        [mark]: key,
      },
    });
    this.#limit(upstream);
    upstream.on("response", (answer) => this.#answer(exchange, upstream, answer));
    upstream.on("error", () => {
      request.unpipe(upstream);
      this.#failed(exchange);
    });
    // Whoever asked has gone, or was answered.
    response.once("close", () => upstream.destroy());
    if (isUpload) request.pipe(upstream);
    else upstream.end();
  }

  #limit(upstream: ClientRequest): void {
    const giveUp = () => upstream.destroy(new Error("no answer in time"));
    upstream.setTimeout(this.#silenceMsMax, giveUp);
    upstream.once("socket", (socket) => {
      if (!socket.connecting) return;
      // A loop that was held up runs its timers before it hears who has answered meanwhile.
      const looking = () => setImmediate(() => socket.connecting && giveUp());
      const connecting = setTimeout(looking, this.#connectMsMax);
      const settled = () => clearTimeout(connecting);
      socket.once("connect", settled).once("close", settled);
    });
  }

  #answer({ request, response, headers }: Exchange, upstream: ClientRequest, answer: IncomingMessage): void {
    // An answer before the end of the upload is a refusal: the rest is not wanted.
    const isEarly = !request.complete;
    if (isEarly) request.unpipe(upstream);
    response.writeHead(answer.statusCode ?? 502, {
      ...picked(answer.headers, headersDown),
      ...headers,
      ...(isEarly && { Connection: "close" }),
    });
    answer.pipe(response);
    // Torn in the middle: the client is to see that, not a shorter answer.
    answer.once("close", () => {
      if (!answer.complete) response.destroy();
    });
    if (isEarly) request.resume();
  }

  #failed({ response, refuse }: Exchange): void {
    this.statistics.failed++;
    if (response.destroyed || response.writableEnded) return;
    if (response.headersSent) return void response.destroy();
    if (this.#state === "closed")
      return refuse(new ProtocolError("overloaded", "this server is stopping", 1000));
    refuse(new ProtocolError("not_found", "there is no such connection: connect anew"));
  }
}

function picked(from: IncomingHttpHeaders, names: readonly string[]): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const name of names) if (from[name] !== undefined) headers[name] = from[name];
  return headers;
}

/** Who asked, for the other node as for this one: through which proxies, and from where the last of them. */
function forwardedFor({ headers, socket }: IncomingMessage): OutgoingHttpHeaders {
  const known = headers["x-forwarded-for"];
  const all = [...(known === undefined ? [] : [known].flat()), socket.remoteAddress ?? "unknown"];
  return { "x-forwarded-for": all.join(", ") };
}
