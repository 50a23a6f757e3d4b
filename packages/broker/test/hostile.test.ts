import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { NatsServer, natsMissing } from "@hongyan/testkit/nats";
import { connect, headers } from "@nats-io/transport-node";
import { NatsBroker } from "../src/nats/index.ts";
import { messageEvent, nameOf } from "./events.ts";
import { silent } from "./silent.ts";
import { until } from "./until.ts";

const members = [...Array.from({ length: 40 }, (_, n) => `u${n}`), "alice"];

test("whatever comes over NATS, the node lives, hands out nothing that is not whole, and counts", {
  skip: natsMissing,
}, async (t) => {
  const server = await NatsServer.start();
  t.after(() => server.stop());
  const broker = await NatsBroker.open({ url: server.url, node: "n", journal: silent });
  const other = await NatsBroker.open({ url: server.url, node: "o", journal: silent });
  const stranger = await connect({ servers: server.url });
  t.after(() => Promise.all([broker.close(), other.close(), stranger.close()]));
  const heard: string[] = [];
  broker.subscribe("alice", (event) => {
    if (event.kind === "message") event.frame.bytes("json");
    heard.push(nameOf(event));
  });
  await broker.flush();
  const real = new Map<string, Uint8Array>();
  stranger.subscribe("hongyan.>", {
    callback: (_, { subject, data }) => void real.set(subject, data.slice()),
  });
  await stranger.flush();
  other.publish(["alice"], messageEvent("to one"));
  other.publish(members, messageEvent("to many"));
  await until(() => real.size === 2 && heard.length === 2, "what a good node sends");

  const subjects = ["hongyan.to.alice", "hongyan.many", "hongyan.gap", "hongyan.to.nobody", "hongyan"];
  const extra = headers();
  extra.set("Nats-Something", "else");
  const send = (bytes: Uint8Array) => {
    for (const subject of subjects) stranger.publish(subject, bytes);
  };
  send(new Uint8Array());
  for (const subject of subjects)
    stranger.publish(subject, new Uint8Array(3), { headers: extra, reply: "x" });
  for (const bytes of real.values()) {
    for (let end = 0; end < bytes.length; end++) send(bytes.slice(0, end));
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ flip;
        send(changed);
      }
    }
    await stranger.flush();
  }
  for (let n = 0; n < 300; n++) send(Uint8Array.of(1, ...randomBytes(n)));
  // Lengths that promise four gigabytes.
  send(Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
  await stranger.flush();
  await broker.flush();

  const { malformed, unknown } = broker.statistics;
  assert.ok(malformed > 200, `${malformed} malformed`);
  assert.ok(unknown > 5, `${unknown} unknown`);
  heard.length = 0;
  stranger.publish("hongyan.to.alice", Uint8Array.of(2, 1, 2, 3));
  stranger.publish("hongyan.to.alice", Uint8Array.of(1, 0, 0, 0, 1, 99));
  await stranger.flush();
  await until(() => broker.statistics.unknown === unknown + 2, "a newer version and a newer kind");
  assert.equal(broker.statistics.malformed, malformed);
  other.publish(["alice"], messageEvent("to one"));
  other.publish(members, messageEvent("to many"));
  await until(() => heard.length === 2, "what a good node sends");
  assert.deepEqual(heard, ["to one", "to many"]);
  assert.equal(broker.statistics.reconnects, 0);
});
