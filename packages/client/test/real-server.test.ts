import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createServer, type Server } from "@hongyan/server";
import {
  type Client,
  type ClientOptions,
  createClient,
  FileStorage,
  type Message,
  type TransportName,
} from "../src/node.ts";

const silent = { info: () => undefined, warn: () => undefined };

interface Running {
  readonly server: Server;
  readonly http: string;
  readonly tcp: string;
  token(user: string): Promise<string>;
}

async function directory(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "hongyan-client-"));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

async function run(
  data: string,
  ports: { port: number; tcpPort: number } = { port: 0, tcpPort: 0 },
): Promise<Running> {
  const server = await createServer({ data, ...ports, web: false, drainMs: 1 }, { journal: silent });
  const { url, tcpPort } = await server.listen();
  return {
    server,
    http: url,
    tcp: `tcp://127.0.0.1:${tcpPort}`,
    token: async (user) => (await server.mintToken("demo", user, 60_000)).token,
  };
}

/** Resolves when `condition` holds after one of the client's events. */
function until(client: Client, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const ends: (() => void)[] = [];
    const look = (): void => {
      if (!condition()) return;
      for (const end of ends) end();
      resolve();
    };
    ends.push(
      client.on("state", look),
      client.on("sent", look),
      client.on("receipt", look),
      client.on("conversation", look),
    );
    look();
  });
}

function person(t: TestContext, options: ClientOptions): { client: Client; seen: Message[] } {
  const client = createClient({ settings: { reconnectDelayMsMax: 500 }, ...options });
  const seen: Message[] = [];
  client.on("message", (message) => void seen.push(message));
  t.after(() => client.stop());
  return { client, seen };
}

const pair = "alice:bob";
const doors: readonly TransportName[] = ["websocket", "poll", "stream", "tcp"];

for (const transport of doors) {
  test(`G2 G3 G4 G7 over ${transport}: a burst, with a restart of the server in the middle, arrives once and in order`, async (t) => {
    const data = await directory(t);
    let running = await run(data);
    t.after(() => running.server.close());
    const url = transport === "tcp" ? running.tcp : running.http;
    const storage = new FileStorage({ directory: await directory(t) });
    const alice = person(t, { url, transport, storage, token: () => running.token("alice") });
    const bob = person(t, { url, transport, token: () => running.token("bob") });
    await Promise.all([alice.client.start(), bob.client.start()]);
    await Promise.all([alice, bob].map(({ client }) => until(client, () => client.state.status === "live")));
    const inPair = (seen: Message[]): string[] =>
      seen
        .filter(({ conversation }) => conversation === pair)
        .map(({ body }) => new TextDecoder().decode(body));
    const texts = Array.from({ length: 600 }, (_, i) => `message ${i + 1}`);
    for (const text of texts.slice(0, 300)) alice.client.send(pair, text);
    await until(alice.client, () => inPair(bob.seen).length >= 50 || inPair(alice.seen).length >= 50);
    const { port = 0, tcpPort = 0 } = {
      port: Number(new URL(running.http).port),
      tcpPort: Number(new URL(running.tcp).port),
    };
    const closed = running.server.close();
    for (const text of texts.slice(300)) alice.client.send(pair, text);
    await closed;
    running = await run(data, { port, tcpPort });
    await until(bob.client, () => inPair(bob.seen).length === 600);
    await until(alice.client, () => inPair(alice.seen).length === 600);
    assert.deepEqual(inPair(bob.seen), texts);
    assert.deepEqual(inPair(alice.seen), texts);
    await until(alice.client, () => alice.client.conversation(pair)?.delivered === 600);
    bob.client.markRead(pair);
    await until(alice.client, () => alice.client.conversation(pair)?.seen === 600);
    assert.equal(bob.client.conversation(pair)?.unread, 0);
    await alice.client.stop();
    assert.deepEqual((await storage.load()).outbox, []);
    await storage.close();
  });
}

test("groups, names, roles and history against the real server", async (t) => {
  const running = await run(await directory(t));
  t.after(() => running.server.close());
  const url = running.http;
  const alice = person(t, { url, token: await running.token("alice") });
  const bob = person(t, { url, token: await running.token("bob") });
  await Promise.all([alice.client.start(), bob.client.start()]);
  await until(bob.client, () => bob.client.state.status === "live");
  const group = await alice.client.createGroup({ name: "Reisegruppe", members: ["bob"] });
  await until(bob.client, () => bob.client.conversation(group)?.name === "Reisegruppe");
  await alice.client.stored(alice.client.send(group, "wohin?"));
  await until(bob.client, () => bob.client.conversation(group)?.last?.text === "wohin?");
  assert.equal(bob.client.conversation(group)?.unread, 1);
  await alice.client.rename(group, "Nach Süden");
  await until(bob.client, () => bob.client.conversation(group)?.name === "Nach Süden");
  const members = bob.client.members(group);
  await members.refresh();
  assert.deepEqual(
    members.snapshot.members.map(({ user, role, name }) => [user, role, name]),
    [
      ["alice", "owner", "Alice"],
      ["bob", "member", "Bob"],
    ],
  );
  await alice.client.removeMember(group, "bob");
  await until(bob.client, () => bob.client.conversation(group)?.role === "none");
  await assert.rejects(bob.client.addMembers(group, ["carol"]), { code: /not_found|forbidden/ });
  const { items } = await bob.client.directory();
  assert.deepEqual(
    items.map(({ user }) => user),
    ["alice", "bob", "carol", "dave"],
  );
  const view = bob.client.messages(group);
  await view.toLatest();
  assert.deepEqual(
    view.snapshot.messages.map(({ messageType, text }) => messageType ?? text),
    ["hongyan.created", "wohin?", "hongyan.renamed", "hongyan.removed"],
  );
});

test("where WebSocket is blocked by a proxy, long poll carries the conversation", async (t) => {
  const running = await run(await directory(t));
  t.after(() => running.server.close());
  const { port } = new URL(running.http);
  const proxy = createHttpServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const onward = request({ port, method, path: url, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  proxy.on("upgrade", (_, socket) => socket.end("HTTP/1.1 403 Forbidden\r\n\r\n"));
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  t.after(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const alice = person(t, {
    url,
    token: await running.token("alice"),
    settings: { reconnectDelayMsFirst: 20 },
  });
  await alice.client.start();
  await until(alice.client, () => alice.client.state.status === "live");
  assert.equal(alice.client.state.status === "live" && alice.client.state.transport, "poll");
  const stored = await alice.client.stored(alice.client.send(pair, "through the wall"));
  assert.equal(stored.seq > 0, true);
  await alice.client.stop();
});

test("a token that expires while connected is renewed, and the conversation goes on", async (t) => {
  const running = await run(await directory(t));
  t.after(() => running.server.close());
  let fetched = 0;
  const token = async (): Promise<string> => {
    const lifetimeMs = ++fetched === 1 ? 1_500 : 60_000;
    return (await running.server.mintToken("demo", "alice", lifetimeMs)).token;
  };
  const alice = person(t, { url: running.http, token });
  await alice.client.start();
  await until(alice.client, () => fetched === 2 && alice.client.state.status === "live");
  await alice.client.stored(alice.client.send(pair, "still here"));
});
