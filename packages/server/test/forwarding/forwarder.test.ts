/** Requests for a held connection at a node that does not have it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { RawSocket, until } from "../transport/raw-socket.ts";
import {
  ask,
  bodiesOf,
  CountingStore,
  errorOf,
  json,
  listening,
  open,
  post,
  root,
  startNode,
  type TestNode,
} from "./two-nodes.ts";

let store: CountingStore;
let owner: TestNode;
let other: TestNode;

beforeEach(async () => {
  store = new CountingStore();
  owner = await startNode(store);
  other = await startNode(store);
});
afterEach(async () => {
  await Promise.all([owner.die(), other.die()]);
});

const push = (text: string) => owner.acceptor.last.push("group", Buffer.from(text));
const placeOf = (path: string) => path.slice(path.indexOf(".") + 1);

describe("a request that lands elsewhere", () => {
  test("the id is as unguessable as before, and says of the node nothing but a name made at random", async () => {
    const path = await open(owner);
    assert.match(path, /^\/v1\/connections\/[\w-]{22}\.[\w-]{8}$/);
    assert.equal(placeOf(path), owner.forwarder.place);
    assert.notEqual(owner.forwarder.place, other.forwarder.place);
  });

  test("poll, upload, acknowledgement and end work at any node", async () => {
    const path = await open(owner);
    const held = ask(other.port, `${path}?after=1`);
    await until("the poll to arrive", () => owner.requests.length === 2);
    push("while held");
    assert.deepEqual(bodiesOf(await held), ["while held"]);
    const sent = await post(other.port, `${path}?after=2`, { type: "ping", id: 7 });
    assert.equal(sent.status, 204);
    const answer = await ask(other.port, `${path}?after=2`);
    assert.equal(answer.headers["content-type"], "application/json");
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.match(answer.body.toString(), /"after":3,.*"ping.ok","id":7/);
    assert.deepEqual(errorOf(await ask(other.port, `${path}?after=0`)), [409, "conflict"]);
    assert.equal((await ask(other.port, path, { method: "DELETE" })).status, 204);
    assert.equal(owner.acceptor.last.closes, 1);
    assert.deepEqual(errorOf(await ask(other.port, `${path}?after=3`)), [404, "not_found"]);
    assert.equal(other.held.traffic.connections, 0);
  });

  test("an event stream flows through as it comes, and ends when its client goes", async () => {
    const path = await open(owner);
    const client = await RawSocket.open(other.port);
    client.socket.write(`GET ${path}/stream HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 1\r\n\r\n`);
    await until("the stream to open", () => client.received.includes("text/event-stream"));
    for (const text of ["one", "two"]) {
      push(text);
      await until(text, () => client.received.includes(`"body":"${text}"`));
    }
    assert.match(client.received.toString(), /x-accel-buffering: no/i);
    assert.equal(owner.acceptor.last.connection.transport, "stream");
    const stream = owner.requests.at(-1) as IncomingMessage;
    client.socket.destroy();
    await until("the owner to notice", () => stream.destroyed);
    await until("nothing to be under way", () => other.forwarder.statistics.underWay === 0);
  });

  test("a client that goes away in the middle of a poll is gone for the owner, too", async () => {
    const path = await open(owner);
    const leaving = new AbortController();
    const poll = ask(other.port, `${path}?after=1`, { signal: leaving.signal });
    await until("the poll to arrive", () => owner.requests.length === 2);
    assert.equal(other.forwarder.statistics.underWay, 1);
    leaving.abort();
    await assert.rejects(poll);
    await until("the owner to notice", () => (owner.requests[1] as IncomingMessage).destroyed);
    assert.equal(other.forwarder.statistics.underWay, 0);
  });

  test("large answers and uploads come whole; what is too large is refused by the owner", async () => {
    const path = await open(owner);
    for (let n = 0; n < 30; n++) push(`${n}`.repeat(30_000));
    const bodies = bodiesOf(await ask(other.port, `${path}?after=1`));
    assert.deepEqual(
      bodies,
      Array.from({ length: bodies.length }, (_, n) => `${n}`.repeat(30_000)),
    );
    const frames = [
      { type: "send", id: 2, conversation: "a:b", clientMessageId: "x", body: "y".repeat(900_000) },
    ];
    assert.equal((await post(other.port, path, frames)).status, 204);
    const huge = await ask(other.port, path, {
      method: "POST",
      headers: { ...json, "content-length": "5000000" },
      body: Buffer.alloc(1000),
    }).catch((error: unknown) => error);
    assert.deepEqual(huge instanceof Error ? huge : errorOf(huge as never), [413, "too_large"]);
    assert.deepEqual(errorOf(await ask(other.port, path, { method: "POST", body: "x" })), [
      415,
      "bad_request",
    ]);
  });

  test("connections between nodes are used again", async () => {
    const path = await open(owner);
    const before = owner.sockets;
    for (let n = 0; n < 10; n++) await ask(other.port, `${path}?after=1&wait=0`);
    assert.equal(owner.sockets - before, 1);
  });

  test("what another node adds for pages of other origins is this node's word", async () => {
    await Promise.all([owner.die(), other.die()]);
    owner = await startNode(store, {}, ["https://owner.example"]);
    other = await startNode(store, {}, ["https://other.example"]);
    const path = await open(owner);
    const { headers } = await ask(other.port, `${path}?after=1&wait=0`, {
      headers: { origin: "https://other.example" },
    });
    assert.equal(headers["access-control-allow-origin"], "https://other.example");
    assert.equal(owner.requests.at(-1)?.headers.origin, undefined);
  });

  test("the owner learns who asks through which proxies, and nothing that is for one hop", async () => {
    const seen: IncomingMessage[] = [];
    const stranger = createServer((request, response) => {
      seen.push(request);
      response.writeHead(200, {
        connection: "x-hop",
        "x-hop": "1",
        "set-cookie": "a=b",
        "hongyan-after": "9",
      });
      response.end("[]");
    });
    const port = await listening(stranger);
    await store.announce("elsewhere", { url: `http://127.0.0.1:${port}`, key: "its key", later: "field" });
    const answer = await ask(other.port, `${root}/id.elsewhere?after=1&x=${encodeURIComponent("é\r\n")}`, {
      headers: {
        host: "evil.example",
        "x-forwarded-host": "evil.example",
        "x-forwarded-for": "203.0.113.9",
        cookie: "secret",
        "proxy-authorization": "secret",
        connection: "keep-alive, x-mine",
        "x-mine": "1",
      },
    });
    stranger.close();
    const { url, headers } = seen[0] as IncomingMessage;
    assert.equal(url, `${root}/id.elsewhere?after=1&x=%C3%A9%0D%0A`);
    assert.deepEqual(headers, {
      host: `127.0.0.1:${port}`,
      connection: "keep-alive",
      "x-forwarded-for": "203.0.113.9, 127.0.0.1",
      "hongyan-forwarded": "its key",
    });
    assert.equal(answer.headers["hongyan-after"], "9");
    assert.equal(answer.headers["x-hop"], undefined);
    assert.equal(answer.headers["set-cookie"], undefined);
  });
});

describe("where nobody answers", () => {
  test("an owner that is gone, unknown, or another life by now: 404 at once", async () => {
    const path = await open(owner);
    await ask(other.port, `${path}?after=1&wait=0`);
    const { port } = owner;
    await owner.die();
    assert.deepEqual(errorOf(await ask(other.port, `${path}?after=1`)), [404, "not_found"]);
    assert.deepEqual(errorOf(await post(other.port, path, { type: "ping", id: 2 })), [404, "not_found"]);
    await owner.directory.close();
    await other.directory.beat();
    assert.deepEqual(errorOf(await ask(other.port, `${path}?after=1`)), [404, "not_found"]);
    // Another life at the address of the old one.
    await store.announce(placeOf(path), { url: `http://127.0.0.1:${other.port}`, key: "of before" });
    await other.directory.beat();
    const before = other.requests.length;
    assert.deepEqual(errorOf(await ask(other.port, `${path}?after=1`)), [404, "not_found"]);
    assert.deepEqual(
      other.requests.slice(before).map((request) => other.forwarder.originOf(request)),
      ["client", "stray"],
    );
    assert.notEqual(port, other.port);
  });

  test("an owner that dies in the middle: a poll is 404, a stream is torn, an upload is 404", async () => {
    const path = await open(owner);
    const second = await open(owner);
    const poll = ask(other.port, `${path}?after=1`);
    const stream = ask(other.port, `${second}/stream?after=1`);
    const upload = httpRequest({ port: other.port, host: "127.0.0.1", path, method: "POST", headers: json });
    const answered = once(upload, "response") as Promise<[IncomingMessage]>;
    upload.write("[");
    await until("all to arrive", () => owner.requests.length === 5);
    await owner.die();
    assert.deepEqual(errorOf(await poll), [404, "not_found"]);
    await assert.rejects(stream);
    const [response] = await answered;
    assert.equal(response.statusCode, 404);
    upload.destroy();
    await until("nothing to be under way", () => other.forwarder.statistics.underWay === 0);
  });

  test("an owner that does not even refuse: 404 within the time for connecting", async () => {
    // A process that is stopped, with more connections than its backlog takes.
    const script =
      "require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},function(){console.log(this.address().port)})";
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const port = Number(line);
    child.kill("SIGSTOP");
    const fillers = Array.from({ length: 5 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
    try {
      await until(
        "the backlog to be full",
        () => fillers.filter(({ connecting }) => !connecting).length >= 2,
      );
      await store.announce("stopped", { url: `http://127.0.0.1:${port}`, key: "x" });
      const startedAt = performance.now();
      assert.deepEqual(errorOf(await ask(other.port, `${root}/id.stopped?after=0`)), [404, "not_found"]);
      const ms = performance.now() - startedAt;
      assert.ok(ms >= 900 && ms < 4000, `${ms} ms`);
    } finally {
      for (const filler of fillers) filler.destroy();
      child.kill("SIGKILL");
    }
  });

  test("an owner that is silent is given up, and so is one that talks nonsense", async () => {
    const silent = createServer(() => undefined);
    const nonsense = createServer().on("connection", (socket) => socket.end("\u0000\u0001 nonsense\r\n\r\n"));
    const node = await startNode(store, { silenceMsMax: 300 });
    await store.announce("silent", { url: `http://127.0.0.1:${await listening(silent)}`, key: "x" });
    await store.announce("nonsense", { url: `http://127.0.0.1:${await listening(nonsense)}`, key: "x" });
    for (const place of ["silent", "nonsense"])
      assert.deepEqual(errorOf(await ask(node.port, `${root}/id.${place}?after=0`)), [404, "not_found"]);
    for (const server of [silent, nonsense]) {
      server.closeAllConnections();
      server.close();
    }
    await node.die();
  });

  test("a node that stops sends those whom it forwards away, not their connections", async () => {
    const path = await open(owner);
    const poll = ask(other.port, `${path}?after=1`);
    await until("the poll to arrive", () => owner.requests.length === 2);
    other.forwarder.close();
    const answer = await poll;
    assert.deepEqual(errorOf(answer), [503, "overloaded"]);
    assert.equal(answer.headers["retry-after"], "1");
    assert.equal((await ask(owner.port, `${path}?after=1&wait=0`)).status, 200);
  });
});

describe("strangers", () => {
  test("a forwarded request goes no further, whoever says that it is one", async () => {
    const path = await open(owner);
    const before = owner.requests.length;
    for (const key of ["guessed", "", other.directory.own.key]) {
      const answer = await ask(other.port, `${path}?after=1`, { headers: { "hongyan-forwarded": key } });
      assert.deepEqual(errorOf(answer), [404, "not_found"]);
    }
    assert.equal(owner.requests.length, before);
    // Two records that name each other's node do not make a circle.
    await store.announce("circle", { url: `http://127.0.0.1:${other.port}`, key: other.directory.own.key });
    assert.deepEqual(errorOf(await ask(other.port, `${root}/id.circle?after=0`)), [404, "not_found"]);
    assert.equal(other.requests.filter(({ url }) => url?.includes("circle")).length, 2);
  });

  test("a key that is not this node's opens nothing, not even what is here", async () => {
    const path = await open(owner);
    const answer = await ask(owner.port, `${path}?after=1&wait=0`, {
      headers: { "hongyan-forwarded": "guessed" },
    });
    assert.deepEqual(errorOf(answer), [404, "not_found"]);
  });

  test("G10 a body where none belongs does not take in the next request between the nodes, of somebody else", async () => {
    const path = await open(owner);
    const poll = `${path}?after=1&wait=0`;
    for (const method of ["GET", "DELETE"]) {
      const stranger = await RawSocket.open(other.port);
      const target = method === "GET" ? poll : `${root}/gone.${placeOf(path)}`;
      const body = "x".repeat(60);
      const head = `${method} ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}`;
      stranger.socket.write(`${head}\r\n\r\n${body}`);
      await until(`the answer to ${method}`, () => stranger.received.includes("HTTP/1.1 "));
      stranger.socket.destroy();
      assert.equal(owner.requests.at(-1)?.method, method);
      assert.equal((await ask(other.port, poll)).status, 200, `after ${method}`);
    }
  });

  test("ids that name no node, and hostile ones, are 404 and make few reads of the store", async () => {
    const before = store.lists;
    const startedAt = performance.now();
    const hostile = [
      "x",
      "x.",
      ".y",
      "x.y.z",
      "..",
      "a%2fb.c",
      "x.%2e%2e",
      `x.${"y".repeat(5000)}`,
      "x.é",
      "@evil:80.x",
    ];
    for (const id of hostile)
      assert.deepEqual(errorOf(await ask(other.port, `${root}/${encodeURI(id)}?after=0`)), [
        404,
        "not_found",
      ]);
    const many = Array.from({ length: 200 }, (_, n) => ask(other.port, `${root}/id.guess${n}?after=0`));
    for (const answer of await Promise.all(many)) assert.deepEqual(errorOf(answer), [404, "not_found"]);
    const seconds = (performance.now() - startedAt) / 1000;
    assert.ok(store.lists - before <= 2 + 2 * seconds, `${store.lists - before} reads in ${seconds} s`);
    assert.equal(other.forwarder.statistics.underWay, 0);
  });

  test("G8 who asks for unknown nodes without waiting for answers keeps nobody from being forwarded", async (t) => {
    const node = await startNode(store, { requestsMax: 50 });
    t.after(() => node.die());
    const path = await open(owner);
    await ask(node.port, `${path}?after=1&wait=0`);
    const stranger = await RawSocket.open(node.port);
    stranger.socket.write(`GET ${root}/x.guess HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(200));
    await until("the stranger's requests", () => node.requests.length > 2);
    assert.equal((await ask(node.port, `${path}?after=1&wait=0`)).status, 200);
    await stranger.ends();
  });

  test("more than may be under way are refused for a moment", async () => {
    const node = await startNode(store, { requestsMax: 2 });
    const path = await open(owner);
    const paths = [path, await open(owner)];
    const polls = paths.map((one) => ask(node.port, `${one}?after=1`));
    await until("both to be under way", () => node.forwarder.statistics.underWay === 2);
    const third = await ask(node.port, `${path}?after=1`);
    assert.deepEqual(errorOf(third), [503, "overloaded"]);
    assert.equal(third.headers["retry-after"], "5");
    owner.held.sweep(performance.now() + 1_000_000);
    await Promise.all(polls);
    await node.die();
  });
});
