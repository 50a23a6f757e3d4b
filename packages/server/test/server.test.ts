import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { chmod, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { connect, createServer as createNetServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Journal } from "@hongyan/core";
import { MemoryStore } from "@hongyan/core/memory";
import {
  encodeFrame,
  type Frame,
  type FrameNamed,
  FrameReader,
  messagePackCodec,
  type UnknownFrame,
} from "@hongyan/protocol";
import { WebSocket } from "ws";
import {
  type ConfigInput,
  ConfigurationError,
  createServer,
  type Parts,
  type Server,
  StartError,
} from "../src/index.ts";

const silent: Journal = { info() {}, warn() {} };
const newDirectory = () => mkdtempSync(join(tmpdir(), "hongyan-server-"));

async function started(
  t: TestContext,
  options: ConfigInput = {},
  parts: Parts = {},
): Promise<{ server: Server; url: string; data: string }> {
  const data = options.data ?? newDirectory();
  const server = await createServer(
    { port: 0, tcpPort: 0, web: false, data, ...options },
    { journal: silent, ...parts },
  );
  t.after(() => server.close());
  const { url } = await server.listen();
  return { server, url, data };
}

/** A person with a WebSocket tool: text mode, one frame per message. */
async function connected(t: TestContext, url: string, token: string, options: object = {}) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, options);
  t.after(() => socket.terminate());
  const frames: { type: string; [name: string]: unknown }[] = [];
  const waiting = new Map<string, (frame: object) => void>();
  socket.on("message", (data) => {
    const frame = JSON.parse(String(data));
    frames.push(frame);
    if (frame.messageType !== undefined) frame.type += `:${frame.messageType}`;
    waiting.get(frame.type)?.(frame);
  });
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "connect", id: 1, version: 1, token, device: "test" }));
  // biome-ignore lint/suspicious/noExplicitAny: frames of many shapes.
  const sees = (type: string): Promise<any> => {
    const seen = frames.find((frame) => frame.type === type);
    return seen === undefined ? new Promise((resolve) => waiting.set(type, resolve)) : Promise.resolve(seen);
  };
  return { socket, sees };
}

test("the path of the WebSocket says what is missing where a proxy has left the upgrade out", async (t) => {
  const { url } = await started(t);
  const answer = await fetch(`${url}/ws`);
  assert.equal(answer.status, 426);
  assert.equal(answer.headers.get("upgrade"), "websocket");
  const { error } = (await answer.json()) as { error: { name: string; message: string } };
  assert.equal(error.name, "bad_request");
  assert.match(error.message, /asks for no upgrade: does a proxy/);
});

test("a first start on loopback makes a demo with random secrets that only this user can read", async (t) => {
  const { server, url, data } = await started(t);
  const links = await server.signInLinks();
  assert.deepEqual(
    links.map(({ user }) => user),
    ["alice", "bob", "carol", "dave"],
  );
  assert.ok(links.every((link) => link.url.startsWith(`${url}/#token=`)));
  assert.equal(statSync(join(data, "demo.json")).mode & 0o777, 0o600);
  const other = await started(t);
  assert.notEqual(
    readFileSync(join(data, "demo.json"), "utf8"),
    readFileSync(join(other.data, "demo.json"), "utf8"),
  );
  assert.equal((await server.backend("demo").conversation("wild-geese")).members, 4);
});

test("the line of the log that says where it listens says where the data are", async (t) => {
  const lines: [event: string, store: unknown][] = [];
  const journal: Journal = { info: (event, details) => lines.push([event, details?.store]), warn() {} };
  const { data } = await started(t, {}, { journal });
  assert.deepEqual(
    lines.filter(([event]) => event === "listening"),
    [["listening", `directory ${join(data, "store")}`]],
  );
});

test("demo links survive a restart, and what people have changed stays", async (t) => {
  const first = await started(t);
  const token = (await first.server.signInLinks())[0]?.url.split("#token=")[1] ?? "";
  await first.server.backend("demo").putUser({ user: "alice", name: "Changed" });
  await first.server.close();
  await chmod(join(first.data, "demo.json"), 0o644);
  const { server, url } = await started(t, { data: first.data });
  const alice = await connected(t, url, token);
  assert.equal((await alice.sees("connect.ok")).user, "alice");
  assert.equal((await server.backend("demo").user("alice")).name, "Changed");
  assert.equal(statSync(join(first.data, "demo.json")).mode & 0o777, 0o600);
});

test("a host that others can reach needs keys: nothing is opened or written before", async () => {
  const data = join(newDirectory(), "none");
  for (const options of [
    { host: "0.0.0.0" },
    { host: "::" },
    { host: "192.168.1.5" },
    { host: "example.com" },
    { demo: false },
  ]) {
    await assert.rejects(createServer({ data, ...options }), (error) => {
      assert.ok(error instanceof ConfigurationError);
      assert.match(error.message, /hongyan config --new-domain/);
      return true;
    });
  }
  assert.throws(() => statSync(data), { code: "ENOENT" });
});

test("with domains configured there is no demo", async (t) => {
  const domains = { acme: { keys: { k1: "s".repeat(32) }, apiKeys: {} } };
  const { server, data } = await started(t, { domains, host: "127.0.0.1" });
  assert.deepEqual(server.domains, ["acme"]);
  assert.deepEqual(await server.signInLinks(), []);
  assert.throws(() => statSync(join(data, "demo.json")), { code: "ENOENT" });
  await assert.rejects(server.mintToken("demo", "alice", 1000), { code: "not_found" });
});

test("several servers live in one process, each with its own data", async (t) => {
  const [one, two] = [await started(t), await started(t, {}, { store: new MemoryStore() })];
  assert.notEqual(one.server.address?.port, two.server.address?.port);
  await one.server.backend("demo").putUser({ user: "eve", name: "Eve" });
  await assert.rejects(two.server.backend("demo").user("eve"), { code: "not_found" });
  await two.server.close();
  assert.equal((await fetch(`${one.url}/healthz`)).status, 200);
});

interface Polled {
  readonly after: number;
  readonly frames: readonly { readonly type: string; readonly body?: string }[];
}

/** A person behind a proxy that lets nothing but requests through. */
async function polling(url: string, token: string) {
  const headers = { "content-type": "application/json" };
  const post = async (path: string, frames: unknown) =>
    fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(frames) });
  const connect = { type: "connect", id: 1, version: 1, token, device: "poll" };
  const { connection } = (await (await post("/v1/connections", connect)).json()) as { connection: string };
  const path = `/v1/connections/${connection}`;
  return {
    send: (frame: unknown) => post(path, frame),
    poll: async (after: number) => (await (await fetch(`${url}${path}?after=${after}`)).json()) as Polled,
  };
}

/** A device on the TCP port, in binary frames. */
async function dialled(t: TestContext, port: number, token: string) {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  const frames: (Frame | UnknownFrame)[] = [];
  const looking = new Set<() => void>();
  const reader = new FrameReader({
    frame: ({ frame }) => frames.push(frame),
    bad: (error) => assert.fail(error),
  });
  socket.on("data", (chunk: Buffer) => {
    reader.push(chunk);
    for (const look of looking) look();
  });
  const send = (frame: Frame) => socket.write(encodeFrame(frame, messagePackCodec));
  const sees = (wanted: (frame: Frame) => boolean) =>
    new Promise<Frame>((resolve) => {
      const look = () => {
        const found = frames.find((frame): frame is Frame => frame.type !== "unknown" && wanted(frame));
        if (found !== undefined) resolve(found);
      };
      looking.add(look);
      look();
    });
  send({ type: "connect", id: 1, version: 1, token, device: "dialled" });
  await sees(({ type }) => type === "connect.ok");
  send({ type: "sync", id: 2 });
  await sees(({ type }) => type === "sync.ok");
  return { sees };
}

test("G7 a message of a backend reaches a WebSocket, a long poll and a TCP connection", async (t) => {
  const { server, url, data } = await started(t);
  const secrets = JSON.parse(readFileSync(join(data, "demo.json"), "utf8"));
  const bob = await connected(t, url, (await server.mintToken("demo", "bob", 60_000)).token);
  assert.equal((await bob.sees("connect.ok")).domain, "demo");
  bob.socket.send(JSON.stringify({ type: "sync", id: 2 }));
  await bob.sees("sync.ok");
  const carol = await polling(url, (await server.mintToken("demo", "carol", 60_000)).token);
  const first = await carol.poll(0);
  assert.deepEqual(
    first.frames.map(({ type }) => type),
    ["connect.ok"],
  );
  await carol.send({ type: "sync", id: 2 });
  let last = first;
  while (!last.frames.some(({ type }) => type === "sync.ok")) last = await carol.poll(last.after);
  const held = carol.poll(last.after);
  const daveToken = await server.mintToken("demo", "dave", 60_000);
  const dave = await dialled(t, server.address?.tcpPort ?? 0, daveToken.token);
  const sent = await fetch(`${url}/v1/conversations/wild-geese/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secrets.demo.apiKeys.demo}` },
    body: JSON.stringify({ from: "alice", clientMessageId: "c:1", messageType: "call", body: "honk" }),
  });
  assert.equal(sent.status, 201);
  assert.equal((await bob.sees("message:call")).body, "honk");
  assert.equal((await held).frames.find(({ type }) => type === "message")?.body, "honk");
  const pushed = await dave.sees((frame) => frame.type === "message" && frame.messageType === "call");
  assert.equal(Buffer.from((pushed as FrameNamed<"message">).body ?? []).toString(), "honk");
});

test("a forged token is told so and the connection closed", async (t) => {
  const { url } = await started(t);
  const stranger = await connected(t, url, "eyJhbGciOiJub25lIn0.e30.");
  assert.equal((await stranger.sees("error")).name, "unauthorized");
  assert.equal((await stranger.sees("close")).code, 4200);
});

test("pages of other origins may connect only where they are allowed", async (t) => {
  const { server, url } = await started(t, { allowedOrigins: ["https://app.example"] });
  const { token } = await server.mintToken("demo", "alice", 60_000);
  await assert.rejects(connected(t, url, token, { origin: "https://evil.example" }), /403/);
  await (await connected(t, url, token, { origin: "https://app.example" })).sees("connect.ok");
  await (await connected(t, url, token, { origin: url })).sees("connect.ok");
  const preflight = (origin: string) =>
    fetch(`${url}/v1/connections`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
  assert.equal((await preflight("https://evil.example")).status, 403);
  const allowed = await preflight("https://app.example");
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get("access-control-allow-origin"), "https://app.example");
});

test("a refused origin is logged once, with the setting that would let it in, and so are at most a hundred", async (t) => {
  const lines: { event: string; details: Record<string, unknown> | undefined }[] = [];
  const journal: Journal = { info() {}, warn: (event, details) => lines.push({ event, details }) };
  const { url } = await started(t, { allowedOrigins: ["https://app.example"] }, { journal });
  const origin = "https://app.example:8443";
  await assert.rejects(connected(t, url, "", { origin }), /403/);
  const ask = (from: string) =>
    fetch(`${url}/v1/connections`, { method: "POST", headers: { origin: from } }).then(
      async (answer) => [answer.status, await answer.text()] as const,
    );
  assert.equal((await ask(origin))[0], 403);
  assert.deepEqual(
    lines.map(({ event, details }) => [event, details?.origin]),
    [["origin.refused", origin]],
  );
  assert.match(String(lines[0]?.details?.hint), /--allowed-origins/);
  for (let n = 0; n < 150; n++) await ask(`https://${n}.example/${"x".repeat(1000)}`);
  assert.equal(lines.length, 100);
  assert.ok(lines.every(({ details }) => String(details?.origin).length <= 200));
  assert.match(String(lines.at(-1)?.details?.hint), /further origins are not logged/);
});

test("health, readiness and metrics", async (t) => {
  const { server, url } = await started(t, { drainMs: 300 });
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /^hongyan_ready 1$/m);
  assert.match(metrics, /^hongyan_commits_total [1-9]/m);
  assert.match(metrics, /^hongyan_transport_connections\{transport="websocket"\} 0$/m);
  assert.match(metrics, /^process_resident_memory_bytes \d/m);
  assert.equal((await fetch(`${url}/metrics`, { headers: { "x-forwarded-for": "8.8.8.8" } })).status, 401);
  const closing = server.close();
  assert.equal((await fetch(`${url}/readyz`)).status, 503);
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  await closing;
  await assert.rejects(fetch(`${url}/healthz`));
});

test("G1 a data directory that was deleted makes the server unready, and nothing is acknowledged", async (t) => {
  const { server, url, data } = await started(t);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  await rm(join(data, "store"), { recursive: true });
  let status = "";
  while (status !== "the data directory is gone")
    ({ status } = (await (await fetch(`${url}/readyz`)).json()) as { status: string });
  await assert.rejects(server.backend("demo").putUser({ user: "eve", name: "Eve" }), { code: "gone" });
});

test("a store that does not answer makes the server unready", async (t) => {
  const store = new MemoryStore();
  const { url } = await started(t, {}, { store });
  store.records = () => Promise.reject(new Error("not now"));
  assert.equal((await fetch(`${url}/readyz`)).status, 503);
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test("a store that reads but takes no writes makes the server unready until it takes them again", async (t) => {
  const store = new MemoryStore();
  const { url } = await started(t, {}, { store });
  const { commit } = store;
  store.commit = () => Promise.reject(new Error("ENOSPC: no space left on device"));
  const unready = await fetch(`${url}/readyz`);
  assert.equal(unready.status, 503);
  assert.deepEqual(await unready.json(), { status: "the store takes no writes" });
  // Nobody has written, so no commit has failed: this alone shows it.
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /^hongyan_ready 0$/m);
  assert.match(metrics, /^hongyan_commit_failures_total 0$/m);
  store.commit = commit;
  const end = performance.now() + 10_000;
  while ((await fetch(`${url}/readyz`)).status !== 200)
    assert.ok(performance.now() < end, "it stays unready");
});

test("however many ask whether the server is ready, the store is asked once a second", async (t) => {
  const store = new MemoryStore();
  const { url } = await started(t, {}, { store });
  const { commit } = store;
  let writes = 0;
  store.commit = (batch) => {
    writes++;
    return commit.call(store, batch);
  };
  const beganMs = performance.now();
  for (let n = 0; n < 10; n++)
    await Promise.all([fetch(`${url}/readyz`), fetch(`${url}/readyz`), fetch(`${url}/readyz`)]);
  const seconds = (performance.now() - beganMs) / 1000;
  assert.ok(writes >= 1 && writes <= 1 + seconds, `${writes} writes in ${seconds} s`);
});

const ownAddress = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === "IPv4" && !one.internal)?.address;

test("metrics are open to this machine by each of its addresses", {
  skip: ownAddress === undefined,
}, async (t) => {
  const { url } = await started(t, {
    host: ownAddress,
    domains: { main: { keys: { k1: "k".repeat(40) }, apiKeys: {} } },
  });
  assert.equal((await fetch(`${url}/metrics`)).status, 200);
  assert.equal((await fetch(`${url}/metrics`, { headers: { "x-forwarded-for": "8.8.8.8" } })).status, 401);
});

test("metrics with a token are open to its holders only", async (t) => {
  const { url } = await started(t, { metrics: { token: "scrape-me-if-you-can" } });
  assert.equal((await fetch(`${url}/metrics`)).status, 401);
  const headers = { authorization: "Bearer scrape-me-if-you-can" };
  assert.equal((await fetch(`${url}/metrics`, { headers })).status, 200);
});

test("bytes that are not HTTP are answered and harm nobody", async (t) => {
  const { server, url } = await started(t);
  for (const bytes of [
    "\u0000\u0001\u0002\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    `GET / HTTP/1.1\r\nx: ${"y".repeat(100_000)}\r\n\r\n`,
  ]) {
    const socket = connect(server.address?.port ?? 0, "127.0.0.1");
    socket.on("error", () => {});
    socket.end(bytes);
    let answer = "";
    for await (const chunk of socket) answer += chunk;
    assert.match(answer, /^HTTP\/1\.1 4\d\d .*"error":\{"code":\d+,"name":"\w+","message":/s);
  }
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test("a port in use and a directory in use are told in one line", async (t) => {
  const { server, data } = await started(t);
  const port = server.address?.port ?? 0;
  const second = await createServer(
    { port, tcpPort: 0, web: false, data: newDirectory() },
    { journal: silent },
  );
  await assert.rejects(
    second.listen(),
    (error) => error instanceof StartError && /port \d+ is in use.*--port/.test(error.message),
  );
  await second.close();
  const blocker = createNetServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  const tcpPort = (blocker.address() as AddressInfo).port;
  const third = await createServer(
    { port: 0, tcpPort, web: false, data: newDirectory() },
    { journal: silent },
  );
  await assert.rejects(third.listen(), /is in use.*--tcp-port/);
  await third.close();
  blocker.close();
  await assert.rejects(createServer({ data }, { journal: silent }), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /in use by another server/);
    assert.ok(!error.message.includes("\n"));
    return true;
  });
});

test("close sends everybody away, commits what was accepted, and can be called twice", async (t) => {
  const { server, url } = await started(t);
  const alice = await connected(t, url, (await server.mintToken("demo", "alice", 60_000)).token);
  await alice.sees("connect.ok");
  const closed = once(alice.socket, "close");
  await Promise.all([server.close(), server.close()]);
  const close = await alice.sees("close");
  assert.equal(close.code, 4000);
  assert.ok(close.retryAfterMs > 0);
  await closed;
  await assert.rejects(server.listen(), /closing/);
});

test("a held poll is answered at once when the server closes", async (t) => {
  const { server, url } = await started(t);
  const alice = await polling(url, (await server.mintToken("demo", "alice", 60_000)).token);
  const { after } = await alice.poll(0);
  const held = alice.poll(after);
  const startedAt = performance.now();
  // The poll is on its way; the server has it once a later request on another connection is answered.
  await fetch(`${url}/healthz`);
  const [{ frames }] = await Promise.all([held, server.close()]);
  assert.equal(frames.at(-1)?.type, "close");
  assert.ok(performance.now() - startedAt < 3000);
});
