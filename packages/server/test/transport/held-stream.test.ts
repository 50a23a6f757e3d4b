import assert from "node:assert/strict";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  acceptor,
  agent,
  ask,
  binary,
  bytesOf,
  errorOf,
  held,
  open,
  pass,
  port,
  post,
  push,
  root,
  start,
  stop,
} from "./held-world.ts";
import { RawSocket, until } from "./raw-socket.ts";

beforeEach(() => start());
afterEach(stop);

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

  test("G8 a connection that is over does not live on for a stream that nobody reads", async () => {
    const path = await open();
    const raw = await RawSocket.open(port);
    raw.write(`GET ${path}/stream?after=1 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until("the stream to open", () => raw.received.includes(":\n\n"));
    raw.socket.pause();
    const { last } = acceptor;
    // More than fits into the sockets on the way.
    const body = Buffer.alloc(50_000, "x");
    for (let i = 0; i < 300; i++) {
      last.push("group", body);
      await new Promise((resolve) => setImmediate(resolve));
    }
    last.connection.close("heartbeat_timeout");
    await until("the core to be told", () => last.closes === 1);
    pass(29_000);
    assert.equal((await post(path, { type: "ping", id: 9 })).status, 204);
    pass(3000);
    assert.deepEqual(errorOf(await post(path, { type: "ping", id: 9 })), [404, "not_found"]);
    raw.destroy();
  });

  test("it is not for connections that began with binary frames", async () => {
    await ask(root, { method: "POST", headers: binary, body: bytesOf({ type: "ping", id: 1 }) });
    assert.deepEqual(errorOf(await ask(`${root}/id-1/stream`)), [400, "bad_request"]);
  });
});
