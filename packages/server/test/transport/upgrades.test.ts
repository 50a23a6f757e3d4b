import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { attachWebSocket } from "../../src/transport/websocket/attach.ts";
import { EchoAcceptor, TestJournal } from "./echo-acceptor.ts";

/** As much of a socket as an upgrade touches. */
class Line extends Duplex {
  readonly written: string[] = [];
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk.toString("latin1"));
    done();
  }
  setTimeout(): void {}
  setNoDelay(): void {}
}

const request = {
  url: "/ws",
  method: "GET",
  headers: {
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  },
} as unknown as IncomingMessage;

test("G9 upgrades that are all there at once take turns, in which others are served", async () => {
  const server = createServer();
  const acceptor = new EchoAcceptor();
  const upgrades = attachWebSocket(server, { acceptor, journal: new TestJournal() });
  const lines = Array.from({ length: 100 }, () => new Line());
  for (const line of lines) server.emit("upgrade", request, line, Buffer.alloc(0));
  await turn();
  const first = acceptor.seen.length;
  assert.ok(first > 0 && first <= 10, `${first} of 100 in the first turn`);
  // One that gives up while it waits is no connection, and its error nobody's end.
  lines[99]?.destroy(new Error("reset"));
  let turns = 1;
  for (; acceptor.seen.length < 99; turns++) await turn();
  assert.ok(turns > 8, `all within ${turns} turns`);
  await turn();
  assert.equal(acceptor.seen.length, 99);
  assert.ok(lines.slice(0, 99).every(({ written }) => written[0]?.startsWith("HTTP/1.1 101 ")));
  for (const line of lines) line.destroy();
  await upgrades.close();
});
