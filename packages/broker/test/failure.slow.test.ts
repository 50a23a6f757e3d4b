import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { after, before, suite, type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { NodeEvent } from "@hongyan/core";
import { NatsServer, natsMissing } from "@hongyan/testkit/nats";
import { NatsBroker, type NatsOptions } from "../src/nats/index.ts";
import { messageEvent, nameOf } from "./events.ts";
import { silent } from "./silent.ts";
import { until } from "./until.ts";
import { Wire } from "./wire.ts";

const MiB = 1024 * 1024;
suite("with a real NATS server", { skip: natsMissing }, () => {
  let server: NatsServer;
  before(async () => {
    // A reader that does not take its bytes is given up early.
    server = await NatsServer.start('write_deadline: "500ms"\nmax_pending: 4MB');
  });
  after(() => server.stop());

  /** A node that listens to `alice`. */
  async function node(t: TestContext, name: string, options: Partial<NatsOptions> = {}) {
    const heard: string[] = [];
    let missed = 0;
    const broker = await NatsBroker.open({
      url: server.url,
      node: name,
      journal: silent,
      missed: () => missed++,
      ...options,
    });
    t.after(() => broker.close());
    await broker.subscribe("alice", (event: NodeEvent) => heard.push(nameOf(event)));
    return { broker, heard, missed: () => missed };
  }

  test("NATS is killed under publishing and comes back: every node is told, and hears again", async (t) => {
    const one = await node(t, "one");
    const two = await node(t, "two");
    let published = 0;
    const publishing = setInterval(() => one.broker.publish(["alice"], messageEvent(`e${published++}`)), 1);
    t.after(() => clearInterval(publishing));
    await until(() => two.heard.length > 20, "events before");
    await server.kill();
    await until(() => one.broker.statistics.eventsDropped > 20, "events that are dropped");
    assert.equal(one.broker.statistics.connected, false);
    assert.equal(one.heard.length, published, "its own subscribers do not notice");
    await server.start();
    await until(() => one.missed() > 0 && two.missed() > 0, "both to be told");
    assert.deepEqual([one.broker.statistics.reconnects, two.broker.statistics.reconnects], [1, 1]);
    const before = two.heard.length;
    await until(() => two.heard.length > before + 20, "events after");
    assert.ok(one.broker.statistics.unconfirmedBytes < MiB);
  });

  test("a node that was cut off tells those who were not that it has dropped something", async (t) => {
    const wire = await Wire.open(server.port);
    t.after(() => wire.close());
    const one = await node(t, "one", { url: wire.url });
    const two = await node(t, "two");
    wire.cut();
    await until(() => !one.broker.statistics.connected, "the cut");
    one.broker.publish(["alice"], messageEvent("lost"));
    wire.mend();
    await until(() => one.missed() > 0 && two.missed() > 0, "both to be told");
    assert.deepEqual(two.heard, []);
    assert.equal(two.broker.statistics.reconnects, 0);
  });

  test("what was on its way when the wire broke counts as dropped", async (t) => {
    const wire = await Wire.open(server.port);
    t.after(() => wire.close());
    const one = await node(t, "one", { url: wire.url });
    const two = await node(t, "two");
    wire.hold();
    one.broker.publish(["alice"], messageEvent("lost"));
    await until(() => one.broker.statistics.messagesSent === 2, "the event to leave, after the probe");
    wire.cut();
    wire.mend();
    await until(() => two.missed() > 0, "the other to be told");
    assert.deepEqual([two.heard, one.broker.statistics.eventsDropped], [[], 0]);
  });

  test("a node that was cut off and had nothing to say does not disturb the others", async (t) => {
    const wire = await Wire.open(server.port);
    t.after(() => wire.close());
    const one = await node(t, "one", { url: wire.url });
    const two = await node(t, "two");
    wire.cut();
    await until(() => !one.broker.statistics.connected, "the cut");
    wire.mend();
    await until(() => one.missed() > 0, "the one to be told");
    one.broker.publish(["alice"], messageEvent("again"));
    await until(() => two.heard.length > 0, "an event");
    assert.equal(two.missed(), 0);
  });

  test("G8 a NATS that takes nothing costs a bounded memory, and what was dropped is told when it takes again", async (t) => {
    const two = await node(t, "two");
    const one = await node(t, "one", { bufferBytesMax: 4 * MiB });
    server.pause();
    t.after(() => server.resume());
    const body = new Uint8Array(64 * 1024);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let n = 0; n < 2000; n++) {
      one.broker.publish(["alice", "bob"], messageEvent("large", body));
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, one.broker.statistics.unconfirmedBytes);
    }
    assert.ok(one.broker.statistics.eventsDropped > 1900, `${one.broker.statistics.eventsDropped} dropped`);
    assert.ok(most > 3 * MiB && most < 6 * MiB, `${most} bytes`);
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 64 * MiB, `${Math.round(grown / MiB)} MiB of 250 MiB`);
    server.resume();
    await until(() => two.missed() > 0, "the other to be told");
    one.broker.publish(["alice"], messageEvent("small"));
    await until(() => two.heard.includes("small"), "the next event");
  });

  test("G8 a node that does not read is cut off by NATS, harms nobody, and is told when it is back", async (t) => {
    const slow = fork(new URL("slow-node.ts", import.meta.url), [server.url], { stdio: "inherit" });
    t.after(() => slow.kill("SIGKILL"));
    const said: string[] = [];
    slow.on("message", (line: string) => said.push(line));
    await until(() => said.includes("ready"), "the slow node");
    const one = await node(t, "one");
    const two = await node(t, "two");
    slow.kill("SIGSTOP");
    for (let n = 0; n < 1000; n++) {
      one.broker.publish(["slow", "alice"], messageEvent("large", new Uint8Array(64 * 1024)));
      await one.broker.flush();
    }
    await until(() => two.heard.length === 1000, "everything at the other node");
    slow.kill("SIGCONT");
    await until(() => said.includes("missed"), "the slow node to be told");
    one.broker.publish(["slow"], messageEvent("small"));
    await until(() => said.includes("heard small"), "the next event");
    assert.equal(one.broker.statistics.eventsDropped, 0);
    slow.kill("SIGKILL");
    await once(slow, "exit");
  });

  test("a subscription does not wait for a NATS that is away or does not answer, and the node is told later", async (t) => {
    const one = await node(t, "one");
    server.pause();
    t.after(() => server.resume());
    // It does not stop within the call.
    await pause(100);
    await one.broker.subscribe("bob", () => undefined);
    server.resume();
    await until(() => one.missed() === 1, "the late answer");
    await server.kill();
    await until(() => !one.broker.statistics.connected, "the loss");
    assert.equal(
      one.broker.subscribe("carol", () => undefined),
      undefined,
    );
    await server.start();
    await until(() => one.missed() === 2, "the return");
  });
});
