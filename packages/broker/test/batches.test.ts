import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { NatsServer, natsMissing } from "@hongyan/testkit/nats";
import { NatsBroker } from "../src/nats/index.ts";
import { messageEvent, nameOf } from "./events.ts";
import { silent } from "./silent.ts";
import { until } from "./until.ts";

suite("with a real NATS server", { skip: natsMissing }, () => {
  let server: NatsServer;
  before(async () => {
    server = await NatsServer.start("max_payload: 256KB");
  });
  after(() => server.stop());

  async function two(t: TestContext) {
    let opened = 0;
    const open = () => NatsBroker.open({ url: server.url, node: `n${++opened}`, journal: silent });
    const [here, there] = [await open(), await open()];
    t.after(() => Promise.all([here.close(), there.close()]));
    const heard: string[] = [];
    const listen = async (...subjects: string[]) => {
      for (const subject of subjects)
        there.subscribe(subject, (event) => heard.push(`${subject} ${nameOf(event)}`));
      await there.flush();
    };
    const before = here.statistics.messagesSent;
    return { here, there, heard, listen, sent: () => here.statistics.messagesSent - before };
  }

  test("what one tick has for a destination leaves in one message", async (t) => {
    const { here, heard, listen, sent } = await two(t);
    await listen("alice", "u3");
    const group = Array.from({ length: 50 }, (_, n) => `u${n}`);
    for (let n = 0; n < 10; n++) {
      here.publish(["alice", "bob"], messageEvent(`e${n}`));
      here.publish(group, messageEvent(`g${n}`));
    }
    await until(() => heard.length === 20, "the events");
    assert.equal(sent(), 3, "to alice, to bob, to the group");
  });

  test("what does not fit into one message of NATS leaves in several", async (t) => {
    const { here, heard, listen, sent } = await two(t);
    await listen("alice", "u7");
    const group = Array.from({ length: 50 }, (_, n) => `u${n}`);
    for (let n = 0; n < 30; n++) {
      const event = messageEvent(`e${n}`, new Uint8Array(50_000));
      here.publish(["alice"], event);
      here.publish(group, event);
    }
    await until(() => heard.length === 60, "the events");
    assert.ok(sent() >= 2 * 6 && sent() <= 2 * 8, `${sent()} messages`);
    assert.equal(here.statistics.eventsDropped, 0);
  });

  test("a list of 100,000 subjects reaches the first, the last and those between", async (t) => {
    const { here, heard, listen } = await two(t);
    const everybody = Array.from({ length: 100_000 }, (_, n) => `domain/user-${n}`);
    const present = everybody.filter((_, n) => n % 9_999 === 0);
    await listen(...present);
    here.publish(everybody, messageEvent("hi", new Uint8Array(1000)));
    await until(() => heard.length === present.length, "everybody who is there");
    assert.deepEqual(
      heard,
      present.map((subject) => `${subject} hi`),
    );
  });

  test("an event that is too large for its message is carried as a notice", async (t) => {
    const { here, heard, listen } = await two(t);
    await listen("alice");
    here.publish(["alice"], messageEvent("large", new Uint8Array(256 * 1024)));
    here.publish(["alice"], messageEvent("small"));
    await until(() => heard.length === 2, "both");
    assert.deepEqual(heard, ["alice behind", "alice small"]);
  });
});
