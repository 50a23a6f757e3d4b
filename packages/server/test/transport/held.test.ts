import assert from "node:assert/strict";
import { Agent, createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  type DecodedFrame,
  encodeFrame,
  type Frame,
  jsonCodec,
  messagePackCodec,
  readFrames,
} from "@hongyan/protocol";
import { type HeldConnections, type HeldOptions, heldConnections } from "../../src/transport/held.ts";
import { EchoAcceptor, TestJournal } from "./echo-acceptor.ts";
import { RawSocket, until } from "./raw-socket.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

let http: Server;
let port: number;
let agent: Agent;
let acceptor: EchoAcceptor;
let journal: TestJournal;
let held: HeldConnections;
let nowMs: number;
/** GET requests that have arrived. */
let polls = 0;
/** Those whose client went away before the answer. */
let closedPolls = 0;

async function start(options: Partial<HeldOptions> = {}): Promise<void> {
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

async function stop(): Promise<void> {
  agent.destroy();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
}

/** Moves the server's time. */
function pass(ms: number): void {
  for (const end = nowMs + ms; nowMs < end; ) {
    nowMs = Math.min(end, nowMs + 1000);
    held.sweep(nowMs);
  }
}

function ask(path: string, { method = "GET", headers = {}, body, signal }: Asked = {}): Promise<Answer> {
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

const json = { "Content-Type": "application/json" };
const binary = { "Content-Type": "application/octet-stream" };
const root = "/v1/connections";
const post = (path: string, value: unknown): Promise<Answer> =>
  ask(path, { method: "POST", headers: json, body: JSON.stringify(value) });
const parsed = ({ body }: Answer): Record<string, unknown> => JSON.parse(body.toString());
const errorOf = (answer: Answer): [number, unknown] => [
  answer.status,
  (parsed(answer).error as Record<string, unknown>).name,
];
const bytesOf = (frame: Frame, codec = jsonCodec): Uint8Array => encodeFrame(frame, codec);

/** Opens a connection and takes the answer to its first frame. */
async function open(): Promise<string> {
  const answer = await post(root, { type: "ping", id: 1 });
  assert.equal(answer.status, 201);
  const path = `${root}/${parsed(answer).connection}`;
  assert.deepEqual(parsed(await ask(`${path}?after=0&wait=0`)).after, 1);
  return path;
}

const push = (text: string): void => acceptor.last.push("group", Buffer.from(text));
const bodiesOf = (answer: Answer): unknown[] =>
  (parsed(answer).frames as { body: string }[]).map(({ body }) => body);

/** Starts a poll and waits until the server holds it. */
async function hold(path: string, asked?: Asked): Promise<{ answer: Promise<Answer> }> {
  const before = polls;
  const answer = ask(path, asked);
  answer.catch(() => {});
  await until("the poll to arrive", () => polls > before);
  return { answer };
}

beforeEach(() => start());
afterEach(stop);

describe("long poll", () => {
  test("a connection begins with frames upstream, and answers come down the poll", async () => {
    const opened = await post(root, [
      { type: "ping", id: 1 },
      { type: "ping", id: 2 },
    ]);
    assert.equal(opened.status, 201);
    assert.deepEqual(parsed(opened), { connection: "id-1" });
    const answer = await ask(`${root}/id-1?after=0`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-type"], "application/json");
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.deepEqual(parsed(answer), {
      after: 2,
      frames: [
        { type: "ping.ok", id: 1, time: 1, receipts: 0 },
        { type: "ping.ok", id: 2, time: 1, receipts: 0 },
      ],
    });
    assert.equal(acceptor.last.connection.transport, "poll");
  });

  for (const codec of [jsonCodec, messagePackCodec]) {
    test(`binary frames, ${codec.name}`, async () => {
      const body = Buffer.concat([
        bytesOf({ type: "ping", id: 1 }, codec),
        bytesOf({ type: "ping", id: 2 }, codec),
      ]);
      assert.equal((await ask(root, { method: "POST", headers: binary, body })).status, 201);
      const answer = await ask(`${root}/id-1?after=0`);
      assert.equal(answer.headers["content-type"], "application/octet-stream");
      assert.equal(answer.headers["hongyan-after"], "2");
      const frames: DecodedFrame[] = [];
      readFrames(answer.body, { frame: (frame) => frames.push(frame), bad: (error) => assert.fail(error) });
      assert.deepEqual(
        frames.map((one) => [one.codec, one.frame.id]),
        [
          [codec, 1],
          [codec, 2],
        ],
      );
    });
  }

  test("a held poll is answered at once when a frame comes, with all frames of the tick", async () => {
    const path = await open();
    const { answer: poll } = await hold(`${path}?after=1`);
    push("a");
    push("b");
    const answer = await poll;
    assert.deepEqual(bodiesOf(answer), ["a", "b"]);
    assert.equal(parsed(answer).after, 3);
  });

  test("a frame that comes in the gap between two polls is returned by the next without waiting", async () => {
    const path = await open();
    push("in the gap");
    assert.deepEqual(bodiesOf(await ask(`${path}?after=1`)), ["in the gap"]);
  });

  test("nothing comes: the poll is held between 75 and 90 s, then empty", async () => {
    const path = await open();
    const { answer: poll } = await hold(`${path}?after=1`);
    let isAnswered = false;
    void poll.then(() => {
      isAnswered = true;
    });
    pass(82_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(isAnswered, false);
    pass(1000);
    assert.deepEqual(parsed(await poll), { after: 1, frames: [] });
  });

  test("wait lowers the time, and 0 does not hold", async () => {
    const path = await open();
    assert.deepEqual(parsed(await ask(`${path}?after=1&wait=0`)), { after: 1, frames: [] });
    const { answer: poll } = await hold(`${path}?after=1&wait=5000`);
    pass(6000);
    assert.deepEqual(parsed(await poll), { after: 1, frames: [] });
  });

  test("G1 a lost answer is repeated: only `after` acknowledges", async () => {
    const path = await open();
    push("a");
    for (let i = 0; i < 3; i++) assert.deepEqual(bodiesOf(await ask(`${path}?after=1`)), ["a"]);
    assert.ok(acceptor.last.connection.bufferedBytes > 0);
    push("b");
    assert.deepEqual(bodiesOf(await ask(`${path}?after=1`)), ["a", "b"]);
    assert.deepEqual(bodiesOf(await ask(`${path}?after=2`)), ["b"]);
    await ask(`${path}?after=3&wait=0`);
    assert.equal(acceptor.last.connection.bufferedBytes, 0);
  });

  test("G1 a client that goes away while it is held, or while it is answered, loses nothing", async () => {
    const path = await open();
    const leaving = new AbortController();
    const { answer: poll } = await hold(`${path}?after=1`, { signal: leaving.signal });
    const gone = closedPolls;
    leaving.abort();
    await assert.rejects(poll);
    await until("the server to notice", () => closedPolls > gone);
    push("while away");
    assert.deepEqual(bodiesOf(await ask(`${path}?after=1`)), ["while away"]);

    const raw = await RawSocket.open(port);
    const before = polls;
    raw.write(`GET ${path}?after=2 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until("the poll to arrive", () => polls > before);
    raw.socket.pause();
    acceptor.last.push("group", Buffer.alloc(900_000, "x"));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    raw.socket.resetAndDestroy();
    const [body] = bodiesOf(await ask(`${path}?after=2`));
    assert.equal(String(body).length, 900_000);
  });

  test("a newer poll releases the older one", async () => {
    const path = await open();
    const { answer: older } = await hold(`${path}?after=1`);
    const { answer: newer } = await hold(`${path}?after=1`);
    assert.deepEqual(parsed(await older), { after: 1, frames: [] });
    push("a");
    assert.deepEqual(bodiesOf(await newer), ["a"]);
  });

  test("a large backlog comes in pages, none lost, none twice", async () => {
    await stop();
    await start({ answerBytesMax: 10_000 });
    const path = await open();
    for (let i = 0; i < 100; i++) push(`${i}`.padEnd(1000, "."));
    const got: string[] = [];
    let after = 1;
    let requests = 0;
    while (got.length < 100) {
      const answer = await ask(`${path}?after=${after}`);
      got.push(...bodiesOf(answer).map((body) => String(parseInt(String(body), 10))));
      after = parsed(answer).after as number;
      requests++;
    }
    assert.deepEqual(
      got,
      Array.from({ length: 100 }, (_, i) => String(i)),
    );
    assert.ok(requests >= 10);
  });

  test("a frame larger than an answer comes alone", async () => {
    await stop();
    await start({ answerBytesMax: 100 });
    const path = await open();
    push("x".repeat(500));
    push("y");
    assert.deepEqual(bodiesOf(await ask(`${path}?after=1`)), ["x".repeat(500)]);
  });

  test("posts go up in their order, and may acknowledge", async () => {
    const path = await open();
    push("a");
    const answer = await post(`${path}?after=2`, [
      { type: "ping", id: 5 },
      { type: "ack", id: 6, positions: { group: 1 } },
    ]);
    assert.equal(answer.status, 204);
    assert.deepEqual(
      acceptor.last.frames.map(({ id }) => id),
      [1, 5, 6],
    );
    assert.equal((parsed(await ask(`${path}?after=2`)).frames as unknown[]).length, 1);
    assert.equal((await ask(`${path}?after=3`, { method: "POST" })).status, 204);
    assert.equal(acceptor.last.connection.bufferedBytes, 0);
  });

  test("G8 what is not acknowledged is counted, and its end is reported", async () => {
    await stop();
    await start({ drainedAboveBytes: 1000 });
    const path = await open();
    push("x".repeat(800));
    push("y".repeat(800));
    assert.ok(acceptor.last.connection.bufferedBytes > 1600);
    await ask(`${path}?after=2&wait=0`);
    assert.equal(acceptor.last.drains, 0);
    await ask(`${path}?after=3&wait=0`);
    assert.equal(acceptor.last.drains, 1);
  });
});

describe("event stream", () => {
  /** Opens a stream and collects what it brings. */
  function stream(
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ text: string; hasEnded: boolean; headers: IncomingMessage["headers"]; destroy(): void }> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({ port, host: "127.0.0.1", path, headers, agent }, (response) => {
        const of = { text: "", hasEnded: false, headers: response.headers, destroy: () => request.destroy() };
        response.on("data", (chunk) => {
          of.text += chunk;
        });
        response.on("end", () => {
          of.hasEnded = true;
        });
        response.on("error", () => {});
        resolve(of);
      });
      request.on("error", reject);
      request.end();
    });
  }

  test("numbered events, one line of JSON each, as they come", async () => {
    const path = await open();
    push("before\nit");
    const events = await stream(`${path}/stream?after=1`);
    assert.equal(events.headers["content-type"], "text/event-stream; charset=utf-8");
    await until("the first event", () => events.text.includes("id: 2\n"));
    assert.equal(acceptor.last.connection.transport, "stream");
    push("after");
    await until("the second event", () => events.text.includes("id: 3\n"));
    const lines = events.text.split("\n\n").filter((event) => event.startsWith("id:"));
    assert.deepEqual(
      lines.map((event) => JSON.parse(event.split("\n")[1]?.slice("data: ".length) ?? "").body),
      ["before\nit", "after"],
    );
    events.destroy();
  });

  test("G1 it resumes after the last event that was received", async () => {
    const path = await open();
    const events = await stream(`${path}/stream?after=1`);
    push("a");
    push("b");
    await until("both", () => events.text.includes("id: 3\n"));
    events.destroy();
    const again = await stream(`${path}/stream?after=1`, { "Last-Event-ID": "2" });
    await until("the second again", () => again.text.includes("id: 3\n"));
    assert.ok(!again.text.includes("id: 2\n"));
    again.destroy();
  });

  test("a comment every 15 s", async () => {
    const path = await open();
    const events = await stream(`${path}/stream?after=1`);
    pass(46_000);
    await until("three of them, and the first", () => events.text === ":\n\n".repeat(4));
    events.destroy();
  });

  test("an open stream counts as polled; after it ends the connection lives for 30 s", async () => {
    const path = await open();
    const events = await stream(`${path}/stream?after=1`);
    pass(300_000);
    assert.equal(acceptor.last.closes, 0);
    const { connection } = acceptor.last;
    events.destroy();
    await until("the stream to end", () => connection.transport === "poll");
    pass(29_000);
    assert.equal(acceptor.last.closes, 0);
    pass(3000);
    assert.equal(acceptor.last.closes, 1);
  });

  test("a poll takes over from a stream, which ends", async () => {
    const path = await open();
    const events = await stream(`${path}/stream?after=1`);
    await ask(`${path}?after=1&wait=0`);
    await until("the stream to end", () => events.hasEnded);
  });

  test("the last event is the close frame", async () => {
    const path = await open();
    const events = await stream(`${path}/stream?after=1`);
    acceptor.last.connection.close("replaced");
    await until("the stream to end", () => events.hasEnded);
    assert.match(events.text, /id: 2\ndata: {"type":"close","code":4201,"reason":"replaced"}\n\n$/);
    assert.equal(acceptor.last.closes, 1);
  });

  test("G8 a stream that is not read does not fill the memory twice", async () => {
    const path = await open();
    const raw = await RawSocket.open(port);
    raw.write(`GET ${path}/stream?after=1 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until("the stream to open", () => raw.received.includes(":\n\n"));
    raw.socket.pause();
    const body = Buffer.alloc(50_000, "x");
    for (let i = 0; i < 200; i++) {
      acceptor.last.push("group", body);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(held.traffic.bytesOut < 9_000_000, `${held.traffic.bytesOut} bytes went into the socket`);
    raw.socket.resume();
    await until("all of them", () => raw.received.includes("id: 201\n"));
    raw.destroy();
  });

  test("it is not for connections that began with binary frames", async () => {
    await ask(root, { method: "POST", headers: binary, body: bytesOf({ type: "ping", id: 1 }) });
    assert.deepEqual(errorOf(await ask(`${root}/id-1/stream`)), [400, "bad_request"]);
  });
});

describe("life", () => {
  test("a connection that is not polled for 30 s is closed, and its id is unknown then", async () => {
    const path = await open();
    pass(29_000);
    assert.equal((await ask(`${path}?after=1&wait=0`)).status, 200);
    pass(29_000);
    assert.equal(acceptor.last.closes, 0);
    pass(3000);
    assert.equal(acceptor.last.closes, 1);
    assert.deepEqual(errorOf(await ask(`${path}?after=1`)), [404, "not_found"]);
    assert.deepEqual(errorOf(await post(path, { type: "ping", id: 2 })), [404, "not_found"]);
    assert.equal(held.traffic.connections, 0);
  });

  test("a client that vanishes in the middle of a poll is given 30 s from then, not the time of the poll", async () => {
    const path = await open();
    const leaving = new AbortController();
    const { answer } = await hold(`${path}?after=1`, { signal: leaving.signal });
    const before = closedPolls;
    leaving.abort();
    await assert.rejects(answer);
    await until("the server to notice", () => closedPolls > before);
    pass(29_000);
    assert.equal(acceptor.last.closes, 0);
    pass(3000);
    assert.equal(acceptor.last.closes, 1);
  });

  test("a held poll keeps it alive", async () => {
    const path = await open();
    const { answer: poll } = await hold(`${path}?after=1`);
    pass(60_000);
    assert.equal(acceptor.last.closes, 0);
    push("still here");
    assert.deepEqual(bodiesOf(await poll), ["still here"]);
  });

  test("close answers the held poll with the close frame; what comes up afterwards is ignored", async () => {
    const path = await open();
    const { answer: poll } = await hold(`${path}?after=1`);
    acceptor.last.connection.close("kicked", 100);
    assert.deepEqual(parsed(await poll), {
      after: 2,
      frames: [{ type: "close", code: 4202, reason: "kicked", retryAfterMs: 100 }],
    });
    assert.equal(acceptor.last.closes, 1);
    assert.equal((await post(path, { type: "ping", id: 9 })).status, 204);
    assert.equal(acceptor.last.frames.length, 1);
    assert.deepEqual(errorOf(await ask(`${path}?after=2`)), [404, "not_found"]);
  });

  test("a close frame waits for the next poll", async () => {
    const path = await open();
    acceptor.last.connection.close("replaced");
    await until("the core to be told", () => acceptor.last.closes === 1);
    pass(5000);
    assert.equal((parsed(await ask(`${path}?after=1`)).frames as { type: string }[])[0]?.type, "close");
  });

  test("DELETE closes, and releases the poll", async () => {
    const path = await open();
    const { answer: poll } = await hold(`${path}?after=1`);
    assert.equal((await ask(path, { method: "DELETE" })).status, 204);
    assert.deepEqual(parsed(await poll), { after: 1, frames: [] });
    assert.equal(acceptor.last.closes, 1);
    assert.equal((await ask(path, { method: "DELETE" })).status, 404);
  });

  test("a stopping server opens no more, and is done when the core has closed the others", async () => {
    const path = await open();
    const { answer: poll } = await hold(`${path}?after=1`);
    const gone = held.close();
    const refused = await post(root, { type: "ping", id: 1 });
    assert.deepEqual(errorOf(refused), [503, "overloaded"]);
    assert.equal(refused.headers["retry-after"], "5");
    acceptor.last.connection.close("going_away", 2000);
    await gone;
    assert.equal((parsed(await poll).frames as { type: string }[])[0]?.type, "close");
  });

  test("more connections than allowed are refused", async () => {
    await stop();
    await start({ connectionsMax: 1 });
    await open();
    assert.deepEqual(errorOf(await post(root, { type: "ping", id: 1 })), [503, "overloaded"]);
  });
});

describe("bad requests", () => {
  const bad: [string, string, Asked, number, string][] = [
    ["bad JSON", root, { method: "POST", headers: json, body: "{" }, 400, "bad_frame"],
    [
      "bad UTF-8",
      root,
      { method: "POST", headers: json, body: Buffer.from("22ff22", "hex") },
      400,
      "bad_frame",
    ],
    ["a list of numbers", root, { method: "POST", headers: json, body: "[1]" }, 400, "bad_frame"],
    ["an empty list", root, { method: "POST", headers: json, body: "[]" }, 400, "bad_request"],
    ["no body", root, { method: "POST", headers: json }, 400, "bad_request"],
    [
      "a frame that is cut off",
      root,
      { method: "POST", headers: binary, body: bytesOf({ type: "ping", id: 1 }).subarray(1) },
      400,
      "bad_frame",
    ],
    [
      "a giant frame",
      root,
      { method: "POST", headers: binary, body: Buffer.from("ffffffff00000000", "hex") },
      413,
      "too_large",
    ],
    [
      "another content type",
      root,
      { method: "POST", headers: { "Content-Type": "text/plain" }, body: "x" },
      415,
      "bad_request",
    ],
    ["GET of all", root, {}, 405, "bad_request"],
    ["PUT", `${root}/x`, { method: "PUT" }, 405, "bad_request"],
    ["POST to a stream", `${root}/x/stream`, { method: "POST" }, 405, "bad_request"],
    ["an unknown id", `${root}/x?after=0`, {}, 404, "not_found"],
    ["a deeper path", `${root}/x/stream/y`, {}, 404, "not_found"],
    ["an empty id", `${root}/`, {}, 404, "not_found"],
  ];
  for (const [name, path, asked, status, error] of bad) {
    test(`${name}: ${status} ${error}`, async () => {
      assert.deepEqual(errorOf(await ask(path, asked)), [status, error]);
      assert.equal(acceptor.seen.length, 0);
    });
  }

  test("405 says which methods there are", async () => {
    assert.equal((await ask(root)).headers.allow, "POST");
    assert.equal((await ask(`${root}/x`, { method: "PUT" })).headers.allow, "GET, POST, DELETE");
  });

  test("a bad upload changes nothing: none of its frames is handed on, the connection stays", async () => {
    const path = await open();
    const body = Buffer.concat([bytesOf({ type: "ping", id: 5 }), Buffer.from("00000001", "hex")]);
    assert.deepEqual(errorOf(await ask(path, { method: "POST", headers: binary, body })), [400, "bad_frame"]);
    assert.equal(acceptor.last.frames.length, 1);
    assert.equal((await post(path, { type: "ping", id: 6 })).status, 204);
  });

  test("a command with a bad field is rejected down the poll, the others are handed on", async () => {
    const path = await open();
    assert.equal(
      (
        await post(path, [
          { type: "join", id: 5 },
          { type: "ping", id: 6 },
        ])
      ).status,
      204,
    );
    const frames = parsed(await ask(`${path}?after=1`)).frames as { type: string; id: number }[];
    assert.deepEqual(
      frames.map(({ type, id }) => [type, id]),
      [
        ["error", 5],
        ["ping.ok", 6],
      ],
    );
  });

  test("an acknowledgement of frames that were never sent, or of old ones, is refused and changes nothing", async () => {
    const path = await open();
    push("a");
    assert.deepEqual(errorOf(await ask(`${path}?after=3`)), [400, "bad_request"]);
    assert.deepEqual(errorOf(await ask(`${path}?after=-1`)), [400, "bad_request"]);
    assert.deepEqual(errorOf(await ask(`${path}?after=1&wait=soon`)), [400, "bad_request"]);
    const { answer: poll } = await hold(`${path}?after=2`);
    assert.deepEqual(errorOf(await ask(`${path}?after=1`)), [409, "conflict"]);
    push("b");
    assert.deepEqual(bodiesOf(await poll), ["b"]);
  });

  test("uploads above the limit are refused: announced, and in pieces", async () => {
    await stop();
    await start({ uploadBytesMax: 1000 });
    const path = await open();
    assert.deepEqual(errorOf(await ask(path, { method: "POST", headers: json, body: "x".repeat(1001) })), [
      413,
      "too_large",
    ]);
    const announcing = await RawSocket.open(port);
    announcing.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n`);
    await until("the refusal before any of the body", () => announcing.received.includes("too_large"));
    announcing.destroy();
    const raw = await RawSocket.open(port);
    raw.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (let i = 0; i < 1100 && !raw.hasEnded && !raw.hasClosed; i++)
      await raw.writeAll(Buffer.from("1\r\nx\r\n"));
    await until("the refusal", () => raw.received.includes("too_large") || raw.hasClosed);
    assert.match(raw.received.toString(), /^HTTP\/1.1 413 /);
    await raw.ends();
    assert.equal((await ask(`${path}?after=1&wait=0`)).status, 200);
  });

  test("an upload that is broken off is not handed on", async () => {
    const path = await open();
    const raw = await RawSocket.open(port);
    raw.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"type":"ping","id":7}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    raw.socket.resetAndDestroy();
    await post(path, { type: "ping", id: 8 });
    assert.deepEqual(
      acceptor.last.frames.map(({ id }) => id),
      [1, 8],
    );
  });

  test("a fault of the core is answered with 500 and written down, without its text", async () => {
    const path = await open();
    const answer = await post(path, { type: "list", id: 2, limit: 666 });
    assert.deepEqual(errorOf(answer), [500, "internal"]);
    assert.ok(!answer.body.includes("fault of the core"));
    assert.deepEqual(journal.warnings, ["fault while handling a request"]);
  });

  test("other paths are not ours", async () => {
    assert.equal((await ask("/v1/users")).status, 418);
    assert.equal((await ask("/v1/connectionsx")).status, 418);
  });
});

describe("other origins", () => {
  const origin = { Origin: "https://chat.example" };
  const preflight = { ...origin, "Access-Control-Request-Method": "POST" };

  test("without a list nobody is allowed", async () => {
    const answer = await ask(root, { method: "OPTIONS", headers: preflight });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
  });

  test("those on the list may ask and read", async () => {
    await stop();
    await start({ origins: ["https://chat.example"] });
    const asked = await ask(`${root}/x`, { method: "OPTIONS", headers: preflight });
    assert.equal(asked.status, 204);
    assert.equal(asked.headers["access-control-allow-origin"], "https://chat.example");
    assert.equal(asked.headers["access-control-allow-methods"], "GET, POST, DELETE");
    const path = await open();
    const answer = await ask(`${path}?after=1&wait=0`, { headers: origin });
    assert.equal(answer.headers["access-control-allow-origin"], "https://chat.example");
    assert.match(String(answer.headers["access-control-expose-headers"]), /Hongyan-After/);
    const other = await ask(`${path}?after=1&wait=0`, { headers: { Origin: "https://evil.example" } });
    assert.equal(other.headers["access-control-allow-origin"], undefined);
    assert.equal(other.headers.vary, "Origin");
  });
});
