/** Nodes with held connections and one store, and a client for them. */
import { Agent, createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { MemoryStore } from "@hongyan/core/memory";
import { Forwarder, type ForwarderOptions } from "../../src/forwarding/forwarder.ts";
import { NodeDirectory } from "../../src/forwarding/node-directory.ts";
import { systemRandom } from "../../src/process/random.ts";
import { type HeldConnections, heldConnections } from "../../src/transport/held.ts";
import { EchoAcceptor, TestJournal } from "../transport/echo-acceptor.ts";

export const root = "/v1/connections";

/** A store that counts how often it is asked for nodes. */
export class CountingStore extends MemoryStore {
  lists = 0;

  override list(...args: Parameters<MemoryStore["list"]>): ReturnType<MemoryStore["list"]> {
    this.lists++;
    return super.list(...args);
  }

  /** What a node at `url` would write. */
  async announce(place: string, value: unknown): Promise<void> {
    const bytes = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
    await this.commit({ appends: [], advances: [], puts: [{ key: `/node/${place}`, value: bytes }] });
  }
}

export interface TestNode {
  readonly port: number;
  readonly acceptor: EchoAcceptor;
  readonly held: HeldConnections;
  readonly forwarder: Forwarder;
  readonly directory: NodeDirectory;
  /** What has arrived, clients' and other nodes'. */
  readonly requests: IncomingMessage[];
  /** Sockets that were opened to it. */
  sockets: number;
  /** Cuts everything that is open, and listens no more. */
  die(): Promise<void>;
}

export async function startNode(
  store: CountingStore,
  options: Partial<ForwarderOptions> = {},
  origins: readonly string[] = [],
): Promise<TestNode> {
  const http = createServer();
  const port = await listening(http);
  const journal = new TestJournal();
  const url = `http://127.0.0.1:${port}`;
  const directory = new NodeDirectory({ store, journal, random: systemRandom, url });
  await directory.open();
  const forwarder = new Forwarder({ directory, silenceMsMax: 5000, ...options });
  const acceptor = new EchoAcceptor();
  const nowMs = performance.now();
  const held = heldConnections({ acceptor, journal, random: systemRandom, nowMs, forwarder, origins });
  const node: TestNode = {
    port,
    acceptor,
    held,
    forwarder,
    directory,
    requests: [],
    sockets: 0,
    die: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      forwarder.close();
    },
  };
  http.on("connection", () => node.sockets++);
  http.on("request", (request, response) => {
    node.requests.push(request);
    if (!held.handle(request, response)) response.writeHead(418).end();
  });
  return node;
}

export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** Rejects where the answer is torn. */
export function ask(port: number, path: string, asked: Asked = {}): Promise<Answer> {
  const { method = "GET", headers = {}, body, signal } = asked;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { port, host: "127.0.0.1", path, method, headers, signal, agent: new Agent() },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

export const json = { "content-type": "application/json" };

export const post = (port: number, path: string, value: unknown): Promise<Answer> =>
  ask(port, path, { method: "POST", headers: json, body: JSON.stringify(value) });

/** Opens a connection at `node`; the answer to its first frame has number 1. */
export async function open(node: TestNode): Promise<string> {
  const { body } = await post(node.port, root, { type: "ping", id: 1 });
  return `${root}/${(JSON.parse(body.toString()) as { connection: string }).connection}`;
}

export function errorOf({ status, body }: Answer): [number, string] {
  return [status, (JSON.parse(body.toString()) as { error: { name: string } }).error.name];
}

export const bodiesOf = ({ body }: Answer): unknown[] =>
  (JSON.parse(body.toString()) as { frames: { body: string }[] }).frames.map((frame) => frame.body);
