/** The guarantees on one server on the embedded store, through every door. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchServer } from "@hongyan/testkit";
import { type Door, doors } from "./doors.ts";
import { guarantees } from "./guarantees.ts";
import { Site, users } from "./site.ts";
import { WireClient } from "./wire-client.ts";

describe("one server", () => {
  guarantees({
    open: () => Site.alone(),
    openHasty: () => Site.alone({ repushAfterMs: 300, receiptsEveryMs: 20 }),
    doors,
    backlogDoors: doors.filter(({ name }) => ["websocket", "tcp", "long poll"].includes(name)),
  });
});

describe("what it costs, and who has to wait", () => {
  let site: Site;
  before(async () => {
    site = await Site.alone();
  });
  after(() => site.close());

  test("G4 check 5: a group of 200 with 40 online: 40 pushes, one stored copy, batched positions", async () => {
    const [group = "", ...members] = users("group", ...Array.from({ length: 200 }, (_, n) => `m${n}x`));
    await site.backend("POST", "/conversations", {
      conversation: group,
      members: members.map((user) => ({ user })),
    });
    const online = await Promise.all(
      members.slice(0, 41).map((user, n) => site.join(doors[n % doors.length] as Door, user)),
    );
    await Promise.all(online.map((device) => device.sync()));
    const [sender, ...receivers] = online as [WireClient, ...WireClient[]];
    const metric = async (name: string) =>
      Number(
        new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, "m").exec(
          await (await fetch(`${site.next.httpUrl}/metrics`)).text(),
        )?.[1] ?? Number.NaN,
      );
    const before = {
      pushed: await metric("hongyan_messages_pushed_total"),
      stored: await metric("hongyan_messages_stored_total"),
    };
    for (let n = 1; n <= 10; n++) await sender.send(group, `m${n}`, `x:${n}`);
    await Promise.all(
      receivers.map((device) => device.until(() => device.shown(group).length >= 10, "10 messages")),
    );
    const commits = await metric("hongyan_commits_total");
    await Promise.all(
      receivers.map((device) => device.ask({ type: "ack", positions: [[group, 11]] }, "ack.ok")),
    );
    assert.equal((await metric("hongyan_messages_stored_total")) - before.stored, 10);
    assert.equal((await metric("hongyan_messages_pushed_total")) - before.pushed, 400);
    const positionCommits = (await metric("hongyan_commits_total")) - commits;
    assert.ok(positionCommits <= 40, `${positionCommits} commits for 400 acknowledged messages`);
    for (const device of online) device.cut();
  });

  test("G9 check 11: everyone reconnects at once: the server stays up, and admission spreads the load", async () => {
    const crowded = await launchServer({ settings: { connectsPerSecond: 100 } });
    try {
      const door = doors.find(({ name }) => name === "tcp") as Door;
      const stayed = await WireClient.connect(door, crowded, {
        user: "stayed",
        token: crowded.token("stayed"),
      });
      let refusals = 0;
      const come = async (n: number): Promise<void> => {
        for (;;) {
          const client = await WireClient.open(door, crowded, `u${n}`);
          client.post({ type: "connect", version: 1, token: crowded.token(`u${n}`), device: "phone" });
          const answer = await client.until(
            (frame) => frame.type === "connect.ok" || frame.type === "error",
            "an answer",
          );
          if (answer.type === "connect.ok") return client.cut();
          assert.ok(
            answer.type === "error" && answer.name === "overloaded" && (answer.retryAfterMs ?? 0) > 0,
          );
          refusals++;
          client.cut();
          await new Promise((resolve) => setTimeout(resolve, answer.retryAfterMs));
        }
      };
      await Promise.all(Array.from({ length: 300 }, (_, n) => come(n)));
      assert.ok(refusals > 0, "some had to wait");
      assert.equal((await stayed.send("stayed:u1", "still here", "x:1")).seq, 1);
      stayed.cut();
    } finally {
      await crowded.close();
    }
  });
});
