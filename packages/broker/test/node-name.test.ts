import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { hostname } from "node:os";
import { type TestContext, test } from "node:test";
import type { Journal } from "@hongyan/core";
import { NatsServer, natsMissing } from "@hongyan/testkit/nats";
import { connect as connectNats } from "@nats-io/transport-node";
import { NatsBroker } from "../src/nats/index.ts";
import { readNameWord, writeNameWord } from "../src/nats/name-word.ts";
import { silent } from "./silent.ts";
import { until } from "./until.ts";

const options = { skip: natsMissing };

async function cluster(t: TestContext) {
  const server = await NatsServer.start();
  const opened: NatsBroker[] = [];
  t.after(async () => {
    await Promise.all(opened.map((broker) => broker.close()));
    await server.stop();
  });
  const open = async (node: string, url = server.url, journal: Journal = silent) => {
    const broker = await NatsBroker.open({ url, node, journal });
    opened.push(broker);
    return broker;
  };
  return { server, open };
}

/** A journal, and what it was told. */
function noted() {
  const lines: string[] = [];
  const journal: Journal = {
    info: () => undefined,
    warn: (event, details) => lines.push(`${event} ${details?.node} ${details?.host}`),
  };
  return { journal, lines };
}

/** The way to a server, on which everything can be held up. */
async function way(t: TestContext, port: number) {
  const sockets: Socket[] = [];
  const proxy = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    near.pipe(far).pipe(near);
    near.on("error", () => far.destroy()).on("close", () => far.destroy());
    far.on("error", () => near.destroy()).on("close", () => near.destroy());
    sockets.push(near, far);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  t.after(() => proxy.close());
  return {
    url: `nats://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    hold: () => sockets[0]?.pause() && sockets[1]?.pause(),
    mend: () => sockets[0]?.resume() && sockets[1]?.resume(),
  };
}

test(
  "a second node of one name is refused in words; one that follows it is let in at once",
  options,
  async (t) => {
    const { open } = await cluster(t);
    const first = await open("n1");
    await assert.rejects(open("n1"), {
      code: "taken",
      message: `another node named "n1" runs on host "${hostname()}": give each node a name of its own, with --node`,
    });
    await open("n2");
    await first.close();
    const beganMs = performance.now();
    await open("n1");
    assert.ok(performance.now() - beganMs < 800, "nobody is waited for");
  },
);

test("of nodes of one name that begin at the same moment one is let in", options, async (t) => {
  const { open } = await cluster(t);
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => open("n1")));
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
});

test(
  "a life before that does not answer keeps nobody out; where it does later, both tell",
  options,
  async (t) => {
    const { server, open } = await cluster(t);
    const { url, hold, mend } = await way(t, server.port);
    const before = noted();
    const stopped = await open("n1", url, before.journal);
    hold();
    const after = noted();
    const successor = await open("n1", server.url, after.journal);
    assert.equal(successor.statistics.namesakes, 0);
    mend();
    await until(() => stopped.statistics.namesakes + successor.statistics.namesakes === 2, "both to know");
    const line = `node.name_taken n1 ${hostname()}`;
    assert.deepEqual([before.lines, after.lines], [[line], [line]]);
  },
);

test("what is no word of a node is counted and believed by nobody", options, async (t) => {
  const { server, open } = await cluster(t);
  const { lines, journal } = noted();
  const node = await open("n1", server.url, journal);
  const stranger = await connectNats({ servers: server.url });
  t.after(() => stranger.close());
  const hostile = [
    "",
    "null",
    "[]",
    "{",
    '{"id":1}',
    `{"id":"${"x".repeat(65)}","host":"h","isRunning":true}`,
  ];
  const bad = [...hostile.map((text) => Buffer.from(text)), Buffer.alloc(100_000, 0x20), Buffer.of(0xff)];
  for (const bytes of bad) stranger.publish("hongyan.name.n1", bytes);
  // So many names that it is no cluster.
  for (let n = 0; n < 100; n++)
    stranger.publish("hongyan.name.n1", writeNameWord({ id: `x${n}`, host: "h", isRunning: true }));
  await until(() => node.statistics.malformed === bad.length && node.statistics.namesakes > 0, "all of it");
  await stranger.flush();
  await until(() => node.statistics.namesakes === 64, "those that are kept");
  assert.equal(lines.length, 64);
});

test("a newer release may add to the word of a node", () => {
  const word = { id: "n", host: "web-1", isRunning: false };
  assert.deepEqual(readNameWord(Buffer.from(JSON.stringify({ ...word, since: 5 }))), word);
});
