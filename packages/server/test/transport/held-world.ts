/** A server of held connections with a clock that the test moves, and a client for it. */
import assert from "node:assert/strict";
import { Agent, createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeFrame, type Frame, jsonCodec } from "@hongyan/protocol";
import { type HeldConnections, type HeldOptions, heldConnections } from "../../src/transport/held.ts";
import { EchoAcceptor, TestJournal } from "./echo-acceptor.ts";
import { until } from "./raw-socket.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export let http: Server;
export let port: number;
export let agent: Agent;
export let acceptor: EchoAcceptor;
export let journal: TestJournal;
export let held: HeldConnections;
export let nowMs: number;
/** GET requests that have arrived. */
export let polls = 0;
/** Those whose client went away before the answer. */
export let closedPolls = 0;

export async function start(options: Partial<HeldOptions> = {}): Promise<void> {
  acceptor = new EchoAcceptor();
  journal = new TestJournal();
  nowMs = 1000;
  let ids = 0;
  held = heldConnections({
    acceptor,
    journal,
    random: { id: () => `id-${++ids}` },
    nowMs,
    jitter: () => 0.5,
    lingerMs: 50,
    ...options,
  });
  http = createServer((request, response) => {
    if (request.method === "GET") {
      polls++;
      response.on("close", () => {
        if (!response.writableFinished) closedPolls++;
      });
    }
    if (!held.handle(request, response)) response.writeHead(418).end();
  });
  agent = new Agent({ keepAlive: true });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  port = (http.address() as AddressInfo).port;
}

export async function stop(): Promise<void> {
  agent.destroy();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
}

/** Moves the server's time. */
export function pass(ms: number): void {
  for (const end = nowMs + ms; nowMs < end; ) {
    nowMs = Math.min(end, nowMs + 1000);
    held.sweep(nowMs);
  }
}

export function ask(
  path: string,
  { method = "GET", headers = {}, body, signal }: Asked = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { port, host: "127.0.0.1", path, method, headers, agent, signal },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

export const json = { "Content-Type": "application/json" };
export const binary = { "Content-Type": "application/octet-stream" };
export const root = "/v1/connections";
export const post = (path: string, value: unknown): Promise<Answer> =>
  ask(path, { method: "POST", headers: json, body: JSON.stringify(value) });
export const parsed = ({ body }: Answer): Record<string, unknown> => JSON.parse(body.toString());
export const errorOf = (answer: Answer): [number, unknown] => [
  answer.status,
  (parsed(answer).error as Record<string, unknown>).name,
];
export const bytesOf = (frame: Frame, codec = jsonCodec): Uint8Array => encodeFrame(frame, codec);

/** Opens a connection and takes the answer to its first frame. */
export async function open(): Promise<string> {
  const answer = await post(root, { type: "ping", id: 1 });
  assert.equal(answer.status, 201);
  const path = `${root}/${parsed(answer).connection}`;
  assert.deepEqual(parsed(await ask(`${path}?after=0&wait=0`)).after, 1);
  return path;
}

export const push = (text: string): void => acceptor.last.push("group", Buffer.from(text));
export const bodiesOf = (answer: Answer): unknown[] =>
  (parsed(answer).frames as { body: string }[]).map(({ body }) => body);

/** Starts a poll and waits until the server holds it. */
export async function hold(path: string, asked?: Asked): Promise<{ answer: Promise<Answer> }> {
  const before = polls;
  const answer = ask(path, asked);
  answer.catch(() => {});
  await until("the poll to arrive", () => polls > before);
  return { answer };
}
