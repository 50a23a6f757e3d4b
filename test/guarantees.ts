/**
 * The guarantees, on real server processes over real sockets: what a client that is killed, cut off or careless sees,
 * and what is in the log afterwards. The same suite for one server and for several nodes (G7).
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Door, doors } from "./doors.ts";
import { type Site, users } from "./site.ts";
import type { WireClient } from "./wire-client.ts";

export interface Asked {
  open(): Promise<Site>;
  /** Another one, or the same, which soon repeats what is not acknowledged. */
  openHasty?(): Promise<Site>;
  /** Through which each is tried. */
  readonly doors: readonly Door[];
  /** Through which 10,000 messages are read. */
  readonly backlogDoors: readonly Door[];
}

export function guarantees(asked: Asked): void {
  let site: Site;
  let hasty: Site;

  before(async () => {
    site = await asked.open();
    hasty = (await asked.openHasty?.()) ?? site;
  });
  after(async () => {
    await site.close();
    if (hasty !== site) await hasty.close();
  });

  for (const door of asked.doors) {
    describe(`through ${door.name}`, () => {
      test("G1 check 1: killed between msg:A and msg:N, the message still arrives", async () => {
        const [alice = "", bob = ""] = users("alice", "bob");
        const conversation = `${alice}:${bob}`;
        const sender = await site.join(door, alice);
        await sender.send(conversation, "acknowledged", "x:1");
        await site.crash(sender);
        const receiver = await site.join(door, bob);
        assert.deepEqual(
          (await receiver.sync()).map(({ body }) => Buffer.from(body ?? []).toString()),
          ["acknowledged"],
        );
        sender.cut();
        receiver.cut();
      });

      test("G1 G2 G3 killed in the middle of a burst: after resending, everything is there once and in order", async () => {
        const [alice = "", bob = ""] = users("alice", "bob");
        const conversation = `${alice}:${bob}`;
        const total = 400;
        const acknowledged = new Set<number>();
        for (let life = 0; acknowledged.size < total; life++) {
          const sender = await site.join(door, alice);
          const sends = Array.from({ length: total }, (_, n) => n + 1).filter((n) => !acknowledged.has(n));
          const ids = sender.post(
            ...sends.map((n) => ({
              type: "send" as const,
              conversation,
              clientMessageId: `x:${n}`,
              after: n === 1 ? undefined : `x:${n - 1}`,
              body: Buffer.from(`${n}`),
            })),
          );
          const take = () => {
            for (const { id } of sender.of("send.ok")) acknowledged.add(sends[ids.indexOf(id)] as number);
          };
          if (life < 2) {
            await sender.until((frame) => frame.type === "send.ok", "the first answer");
            await site.crash(sender);
            take();
          } else {
            await sender.until((frame) => frame.id === ids.at(-1), "the last answer");
            take();
          }
          sender.cut();
        }
        assert.deepEqual(
          await site.log(conversation),
          Array.from({ length: total }, (_, n) => `${n + 1}`),
        );
      });

      test("G2 G4 G5 check 2: each of the six packets lost in turn: shown once, one delivered", async () => {
        const [alice = "", bob = ""] = users("alice", "bob");
        const conversation = `${alice}:${bob}`;
        const sender = await hasty.join(door, alice);
        const receiver = await hasty.join(door, bob);
        await sender.sync();
        await receiver.sync();
        const pushes = (seq: number) =>
          receiver.of("message").filter((message) => message.id === 0 && message.seq === seq);
        const pushed = (seq: number, times: number) =>
          receiver.until(() => pushes(seq).length >= times, `push ${times} of message ${seq}`);
        const acked = (seq: number) =>
          receiver.ask({ type: "ack", positions: [[conversation, seq]] }, "ack.ok");
        const delivered = (seq: number) =>
          sender.until(
            (frame) => frame.type === "receipt" && frame.user === bob && frame.delivered >= seq,
            `delivered ${seq}`,
          );

        // msg:R and msg:A lost look the same to the sender: no answer, so it sends again.
        await sender.send(conversation, "one", "x:1");
        assert.deepEqual(
          [
            (await sender.send(conversation, "one", "x:1")).seq,
            (await sender.send(conversation, "one", "x:1")).duplicate,
          ],
          [1, true],
        );
        await acked(1);
        await delivered(1);
        // msg:N or ack:R lost: no acknowledgement reaches the server, so it pushes again.
        await sender.send(conversation, "two", "x:2");
        await pushed(2, 2);
        await acked(2);
        await delivered(2);
        // ack:A lost: the receiver acknowledges again, and nothing changes.
        await acked(2);
        await acked(1);
        // ack:N lost: a resend gets it again from the stored state.
        const receipts = sender.of("receipt").length;
        assert.equal((await sender.send(conversation, "two", "x:2")).duplicate, true);
        await sender.until(() => sender.of("receipt").length > receipts, "the receipt again");
        assert.deepEqual(
          sender
            .of("receipt")
            .map((receipt) => receipt.delivered)
            .filter((n, at, all) => at === 0 || n < (all[at - 1] as number)).length,
          1,
          "never back",
        );
        assert.deepEqual(await hasty.log(conversation), ["one", "two"]);
        assert.deepEqual(receiver.shown(conversation), ["one", "two"]);
        sender.cut();
        receiver.cut();
      });

      test("G2 check 3: one client message id sent 100 times is one message with 100 equal answers", async () => {
        const [alice = "", bob = ""] = users("alice", "bob");
        const conversation = `${alice}:${bob}`;
        const sender = await site.join(door, alice);
        const send = {
          type: "send",
          conversation,
          clientMessageId: "any text at all",
          body: Buffer.from("once"),
        } as const;
        const ids = sender.post(...Array.from({ length: 100 }, () => send));
        await sender.until(() => sender.of("send.ok").length === 100, "100 answers");
        assert.deepEqual(new Set(sender.of("send.ok").map(({ seq, time }) => `${seq} ${time}`)).size, 1);
        assert.equal(ids.length, 100);
        const conflict = await sender.ask({ ...send, body: Buffer.from("other") }, "error");
        assert.equal(conflict.name, "conflict");
        assert.deepEqual(await site.log(conversation), ["once"]);
        sender.cut();
      });

      test("G4 check 6: two devices of the receiver and the sender's second device end with one history", async () => {
        const [alice = "", bob = ""] = users("alice", "bob");
        const conversation = `${alice}:${bob}`;
        const phone = await site.join(door, alice, "phone");
        const others = await Promise.all([
          site.join(door, alice, "laptop"),
          site.join(door, bob, "phone"),
          site.join(door, bob, "tablet"),
        ]);
        await Promise.all([phone, ...others].map((device) => device.sync()));
        for (let n = 1; n <= 30; n++)
          await phone.send(conversation, `m${n}`, `x:${n}`, n === 1 ? undefined : `x:${n - 1}`);
        const wanted = Array.from({ length: 30 }, (_, n) => `m${n + 1}`);
        for (const device of others) {
          await device.until(() => device.shown(conversation).length >= 30, "30 messages");
          assert.deepEqual(device.shown(conversation), wanted);
        }
        for (const device of [phone, ...others]) device.cut();
      });

      test("G10 another domain's token sees nothing here, and cannot tell what exists", async () => {
        const [alice = "", bob = ""] = users("alice", "bob");
        const sender = await site.join(door, alice);
        await sender.send(`${alice}:${bob}`, "secret", "x:1");
        const [mallory = ""] = users("mallory");
        const stranger = await site.join(door, mallory);
        for (const conversation of [`${alice}:${bob}`, "no-such-group"]) {
          const refusal = await stranger.ask({ type: "history", conversation }, "error");
          assert.deepEqual([refusal.name, refusal.message], ["not_found", "no such conversation"]);
        }
        sender.cut();
        stranger.cut();
      });
    });
  }

  test("G4 check 4: 10,000 offline messages, server and client killed between pages: none lost, none twice", async () => {
    const total = 10_000;
    for (const door of asked.backlogDoors) {
      const [alice = "", bob = ""] = users("alice", "bob");
      const conversation = `${alice}:${bob}`;
      const sender = await site.join(doors.find(({ name }) => name === "tcp") as Door, alice);
      for (let from = 1; from <= total; from += 500) {
        const ids = sender.post(
          ...Array.from({ length: 500 }, (_, n) => ({
            type: "send" as const,
            conversation,
            clientMessageId: `x:${from + n}`,
            body: Buffer.from(`${from + n}`),
          })),
        );
        await sender.until((frame) => frame.id === ids.at(-1), "500 answers");
      }
      sender.cut();
      const shown: number[] = [];
      let cursor = 0;
      let interruptions = 0;
      let receiver = await site.join(door, bob);
      for (;;) {
        const positions = cursor === 0 ? undefined : ([[conversation, cursor]] as const);
        const { id, count } = await receiver.ask(
          { type: "sync", positions, limit: 1000, bytes: 1024 * 1024 },
          "sync.ok",
        );
        const page = receiver.of("message").filter((message) => message.id === id);
        assert.equal(page.length, count);
        if (count === 0) break;
        if (interruptions < 4 && shown.length >= interruptions * 2000) {
          // The page is lost with whoever held it: nothing of it was acknowledged.
          interruptions++;
          if (interruptions % 2 === 0) {
            await site.crash(receiver);
          }
          receiver.cut();
          receiver = await site.join(door, bob);
          continue;
        }
        shown.push(...page.map(({ seq }) => seq));
        cursor = shown.at(-1) as number;
      }
      assert.equal(interruptions, 4);
      assert.deepEqual(
        shown,
        Array.from({ length: total }, (_, n) => n + 1),
      );
      receiver.cut();
    }
  });

  test("G3 check 7: concurrent senders on every door, also across the server's death: all members see one order", async () => {
    const [group = "", ...members] = users("group", ...doors.map((_, n) => `m${n}x`));
    await site.backend("POST", "/conversations", {
      conversation: group,
      members: members.map((user) => ({ user })),
    });
    const perMember = 40;
    const connectAll = () => Promise.all(doors.map((door, n) => site.join(door, members[n] as string)));
    const sendAll = (devices: readonly WireClient[]) =>
      devices.forEach((device, who) => {
        device.post(
          ...Array.from({ length: perMember }, (_, n) => ({
            type: "send" as const,
            conversation: group,
            clientMessageId: `x:${n}`,
            after: n === 0 ? undefined : `x:${n - 1}`,
            body: Buffer.from(`${who}-${n}`),
          })),
        );
      });
    const first = await connectAll();
    sendAll(first);
    await (first[0] as WireClient).until((frame) => frame.type === "send.ok", "an answer");
    await site.crash(first[0] as WireClient);
    for (const device of first) device.cut();
    const second = await connectAll();
    sendAll(second);
    await Promise.all(
      second.map((device) => device.until(() => device.of("send.ok").length === perMember, "all answers")),
    );
    const truth = await site.log(group);
    assert.equal(truth.length, doors.length * perMember);
    doors.forEach((_, who) => {
      const own = truth.filter((text) => text.startsWith(`${who}-`));
      assert.deepEqual(
        own,
        Array.from({ length: perMember }, (_, n) => `${who}-${n}`),
        "a sender's own order holds",
      );
    });
    for (const device of second) device.cut();
    const third = await connectAll();
    for (const device of third) {
      const texts = (await device.sync())
        .filter(({ messageType }) => messageType === undefined)
        .map(({ body }) => Buffer.from(body ?? []).toString());
      assert.deepEqual(texts, truth);
      device.cut();
    }
  });

  test("G4 check 8: long poll: a message in the gap between two polls comes with the next one at once", async () => {
    const [alice = "", bob = ""] = users("alice", "bob");
    const sender = await site.join(doors[0] as Door, alice);
    // Each request to another node.
    const url = () => `${site.next.httpUrl}/v1/connections`;
    const headers = { "content-type": "application/json" };
    const opened = await fetch(url(), {
      method: "POST",
      headers,
      body: JSON.stringify([
        { type: "connect", id: 1, version: 1, token: site.next.token(bob), device: "curl" },
        { type: "sync", id: 2 },
      ]),
    });
    assert.equal(opened.status, 201);
    const { connection } = (await opened.json()) as { connection: string };
    const poll = async (after: number, wait?: number) => {
      const startedAt = performance.now();
      const response = await fetch(
        `${url()}/${connection}?after=${after}${wait === undefined ? "" : `&wait=${wait}`}`,
      );
      const answer = (await response.json()) as { after: number; frames: { type: string; body?: string }[] };
      return { ...answer, ms: performance.now() - startedAt };
    };
    let after = 0;
    for (let seen = ""; !seen.includes("sync.ok"); ) {
      const answer = await poll(after);
      after = answer.after;
      seen += answer.frames.map(({ type }) => type).join();
    }
    const held = poll(after);
    await sender.send(`${alice}:${bob}`, "while held", "x:1");
    const whileHeld = await held;
    assert.deepEqual(
      whileHeld.frames.map(({ body }) => body),
      ["while held"],
    );
    await sender.send(`${alice}:${bob}`, "in the gap", "x:2");
    const gap = await poll(whileHeld.after);
    assert.deepEqual(
      gap.frames.map(({ body }) => body),
      ["in the gap"],
    );
    assert.ok(gap.ms < 5000, "it was not held");
    const again = await poll(whileHeld.after);
    assert.deepEqual(again.frames, gap.frames, "a response that was lost on the wire is sent again");
    const empty = await poll(gap.after, 200);
    assert.deepEqual(empty.frames, []);
    let isReleased = false;
    const older = poll(gap.after).then((answer) => {
      isReleased = true;
      return answer;
    });
    // The two requests may overtake each other on the way: whichever comes later releases the other.
    while (!isReleased) await poll(gap.after, 50);
    assert.deepEqual((await older).frames, [], "a newer poll releases the older one");
    sender.cut();
  });
}
