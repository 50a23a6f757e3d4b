import assert from "node:assert/strict";
import { test } from "node:test";
import { House } from "./house.ts";

test("G2 one client message id sent 100 times is one message, one seq, 100 equal answers", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  const answers = await Promise.all(Array.from({ length: 100 }, () => alice.say("alice:bob", "hi", "x:1")));
  assert.deepEqual(new Set(answers.map(({ seq }) => seq)), new Set([1]));
  assert.equal(answers.filter(({ duplicate }) => duplicate !== true).length, 1);
  assert.equal(new Set(answers.map(({ time }) => time)).size, 1);
  assert.deepEqual(bob.heard, ["hi"]);
});

test("G2 the same client message id with another body or type is a conflict", async () => {
  const house = new House();
  const alice = await house.device("alice");
  await alice.say("alice:bob", "hi", "x:1");
  const send = { type: "send", conversation: "alice:bob", clientMessageId: "x:1" } as const;
  assert.equal(await alice.refused({ ...send, body: new TextEncoder().encode("ho") }), "conflict");
  assert.equal(
    await alice.refused({ ...send, messageType: "t", body: new TextEncoder().encode("hi") }),
    "conflict",
  );
});

test("G2 the same client message id of two senders and of two conversations are different messages", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const bob = await house.device("bob");
  assert.equal((await alice.say("alice:bob", "a", "same")).seq, 1);
  assert.equal((await bob.say("alice:bob", "b", "same")).seq, 2);
  assert.equal((await alice.say("alice:carol", "c", "same")).seq, 1);
});

test("G3 a message whose predecessor is not stored is refused, and accepted after it", async () => {
  const house = new House();
  const alice = await house.device("alice");
  const second = {
    type: "send",
    conversation: "alice:bob",
    clientMessageId: "x:2",
    after: "x:1",
    body: new Uint8Array([2]),
  } as const;
  assert.equal(await alice.refused(second), "out_of_order");
  await alice.say("alice:bob", "one", "x:1");
  assert.equal((await alice.ask(second, "send.ok")).seq, 2);
  const again = await house.device("alice");
  assert.equal(
    (await again.say("alice:bob", "three", "x:3", "x:2")).seq,
    3,
    "the chain holds across sessions",
  );
});

test("G3 messages sent in one breath keep their order, also while the conversation is being loaded", async () => {
  const house = new House();
  const bob = await house.device("bob");
  const alice = await house.device("alice");
  for (let n = 1; n <= 50; n++) {
    const after = n === 1 ? undefined : `x:${n - 1}`;
    alice.post({
      type: "send",
      conversation: "alice:bob",
      clientMessageId: `x:${n}`,
      after,
      body: new TextEncoder().encode(String(n)),
    });
  }
  await house.until(() => bob.heard.length === 50, "50 messages");
  assert.deepEqual(
    bob.heard,
    Array.from({ length: 50 }, (_, n) => String(n + 1)),
  );
});

test("G4 every device of every member but the sending one gets the message", async () => {
  const house = new House();
  const phone = await house.device("alice", "phone");
  const laptop = await house.device("alice", "laptop");
  const bob = await house.device("bob", "phone");
  const tablet = await house.device("bob", "tablet");
  await phone.say("alice:bob", "hi");
  assert.deepEqual([phone.heard, laptop.heard, bob.heard, tablet.heard], [[], ["hi"], ["hi"], ["hi"]]);
});

test("bad sends are refused by name and leave the connection usable", async () => {
  const house = new House({ bodyBytesMax: 100 });
  const alice = await house.device("alice");
  const send = { type: "send", conversation: "alice:bob", clientMessageId: "x" } as const;
  assert.equal(await alice.refused({ ...send, body: new Uint8Array(101) }), "too_large");
  assert.equal(await alice.refused({ ...send, conversation: "bob:carol" }), "not_found");
  assert.equal(await alice.refused({ ...send, conversation: "no-such-group" }), "not_found");
  assert.equal(await alice.refused({ ...send, conversation: "bob:alice" }), "bad_request");
  assert.equal(await alice.refused({ ...send, conversation: "../x" }), "bad_request");
  assert.equal(await alice.refused({ ...send, clientMessageId: "" }), "bad_request");
  assert.equal(await alice.refused({ ...send, messageType: "hongyan.created" }), "forbidden");
  for (const messageType of ["a\nb", "\u0000", "\u007f", "\ud800"])
    assert.equal(await alice.refused({ ...send, messageType }), "bad_request", JSON.stringify(messageType));
  const { conversation, clientMessageId } = send;
  const ofBackend = {
    conversation,
    from: "alice",
    clientMessageId,
    messageType: "a\nb",
    body: new Uint8Array(1),
  };
  await assert.rejects(house.node.backend("d").send(ofBackend), { code: "bad_request" });
  assert.equal((await alice.say("alice:bob", "still here")).seq, 1);
});

test("G9 what the store cannot take is refused as overloaded, not forgotten", async () => {
  const house = new House({ commitBytesMax: 1000 });
  const alice = await house.device("alice");
  const ids = Array.from({ length: 20 }, (_, n) =>
    alice.post({
      type: "send",
      conversation: "alice:bob",
      clientMessageId: `x:${n}`,
      body: new Uint8Array(200),
    }),
  );
  await house.until(() => ids.every((id) => alice.frames.some((frame) => frame.id === id)), "20 answers");
  const refused = alice.of("error").filter(({ name }) => name === "overloaded");
  assert.ok(refused.length > 0 && refused.every(({ retryAfterMs }) => (retryAfterMs ?? 0) > 0));
  const [head] = await house.store.heads(["d/conversation/alice:bob"]);
  assert.equal(head, 20 - refused.length, "everything else is stored");
});

test("G3 a pipeline behind a message of an earlier session is looked up once and stored in order", async () => {
  const house = new House();
  const first = await house.device("alice");
  await first.say("alice:bob", "0", "x:0");
  const alice = await house.device("alice");
  const ids = Array.from({ length: 20 }, (_, n) =>
    alice.post({
      type: "send",
      conversation: "alice:bob",
      clientMessageId: `x:${n + 1}`,
      after: `x:${n}`,
      body: new Uint8Array([n]),
    }),
  );
  await house.until(() => ids.every((id) => alice.frames.some((frame) => frame.id === id)), "20 answers");
  assert.deepEqual(alice.of("error"), []);
  assert.deepEqual(
    alice.of("send.ok").map(({ seq }) => seq),
    ids.map((_, n) => n + 2),
  );
});
