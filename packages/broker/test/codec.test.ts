import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeEvent } from "@hongyan/core";
import { SharedFrame } from "@hongyan/protocol";
import fc from "fast-check";
import { hostileSubjects } from "../src/contract.ts";
import { ByteReader, Malformed } from "../src/nats/byte-reader.ts";
import { decodeEvent, encodeEvent } from "../src/nats/event-codec.ts";
import { RecipientsDecoder, RecipientsEncoder } from "../src/nats/recipients.ts";
import { subjectToken } from "../src/nats/subject.ts";
import { messageEvent } from "./events.ts";

const room = 1024 * 1024;

const plain: readonly NodeEvent[] = [
  { kind: "receipt", conversation: "alice:bob", user: "bob", delivered: 0, read: Number.MAX_SAFE_INTEGER },
  { kind: "conversation", conversation: "g", seq: 7 },
  { kind: "claimed", device: "phone", session: "s2", before: ["s1", "s0"], version: 3 },
  { kind: "kick", device: undefined },
  { kind: "kick", device: "phone" },
  { kind: "whereabouts", node: "n1" },
  { kind: "online", domain: "d", users: ["alice", "bob"], node: "n1", turn: 9, online: true },
  { kind: "online", domain: "d", users: [], node: "n1", turn: 10, online: false },
  { kind: "behind" },
];

test("every event survives the way", () => {
  for (const event of plain) assert.deepEqual(decodeEvent(encodeEvent(event, room)), event);
});

test("a message survives with every byte of its body", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 5000 }),
      fc.option(fc.string(), { nil: undefined }),
      (body, except) => {
        const exceptSession = except === "" ? undefined : except?.toWellFormed();
        const event = {
          ...(messageEvent("x:1", body) as Extract<NodeEvent, { kind: "message" }>),
          exceptSession,
        };
        const back = decodeEvent(encodeEvent(event, room));
        assert.ok(back?.kind === "message");
        assert.deepEqual(back.frame.bytes("messagepack"), event.frame.bytes("messagepack"));
        assert.deepEqual({ ...back, frame: undefined }, { ...event, frame: undefined });
      },
    ),
  );
});

test("nothing that is cut off is an event", () => {
  for (const event of [...plain.slice(0, -1), messageEvent("x:1")]) {
    const bytes = encodeEvent(event, room);
    for (let end = 0; end < bytes.length; end++)
      assert.throws(() => decodeEvent(bytes.slice(0, end)), `${end}`);
  }
  assert.throws(() => new ByteReader(new Uint8Array(3)).piece(4), Malformed);
});

test("what is too large for a message of NATS says that there is something to read", () => {
  assert.deepEqual(decodeEvent(encodeEvent(messageEvent("x:1", new Uint8Array(1000)), 1000)), {
    kind: "behind",
  });
});

test("ids that could leave their place in a key of the store are not taken", () => {
  const hostile: NodeEvent[] = [
    { kind: "conversation", conversation: "../other/conversation/g", seq: 1 },
    { kind: "conversation", conversation: "g", seq: -1 },
    { kind: "claimed", device: "a/b", session: "s", before: [], version: 1 },
    { kind: "claimed", device: "a", session: "s", before: new Array(65).fill("s"), version: 1 },
    { kind: "whereabouts", node: "../n" },
    { kind: "online", domain: "a/b", users: [], node: "n", turn: 1, online: true },
    { kind: "online", domain: "d", users: ["a/b"], node: "n", turn: 1, online: true },
    { kind: "online", domain: "d", users: [], node: "n", turn: -1, online: true },
    { kind: "receipt", conversation: "g", user: "a/b", delivered: 1, read: 1 },
    { kind: "receipt", conversation: "g", user: "a", delivered: -1, read: 1 },
    { kind: "receipt", conversation: "g", user: "a", delivered: Number.NaN, read: 1 },
    { kind: "kick", device: "x".repeat(60_000) },
  ];
  const message = messageEvent("x:1");
  assert.ok(message.kind === "message" && message.frame.frame.type === "message");
  hostile.push({ ...message, frame: new SharedFrame({ ...message.frame.frame, conversation: "a/b" }) });
  for (const event of hostile) assert.throws(() => decodeEvent(encodeEvent(event, room)));
});

test("whatever the bytes are, decoding ends in an event, in nothing or in an error", () => {
  const good = [...plain, messageEvent("x:1")].map((event) => encodeEvent(event, room));
  fc.assert(
    fc.property(fc.constantFrom(...good), fc.nat(), fc.nat(255), fc.boolean(), (bytes, at, value, isCut) => {
      const changed = isCut ? bytes.slice(0, at % bytes.length) : bytes.slice();
      if (!isCut) changed[at % bytes.length] = value;
      try {
        const event = decodeEvent(changed);
        // What is taken can be shown: it fits into frames.
        if (event?.kind === "message") event.frame.bytes("json");
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
    { numRuns: 5000 },
  );
});

test("G10 two subjects never share a token, and every token is one of NATS", () => {
  const seen = new Map<string, string>();
  const look = (subject: string) => {
    const token = subjectToken(subject);
    assert.match(token, /^[!-)+-\-/-=?-~]{1,160}$/, "visible ASCII without dots and wildcards");
    assert.equal(seen.get(token) ?? subject, subject);
    seen.set(token, subject);
  };
  hostileSubjects.forEach(look);
  // Too long to be escaped, and the same in UTF-8.
  look("\ud800".repeat(200));
  look("\ufffd".repeat(200));
  // Few characters, so that escapes meet what they look like.
  const letters = fc.constantFrom("%", "u", "2", "e", ".", "~", "0", "a", "é", "\ud800", "*");
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 12 }), (units) => look(units.join(""))),
    { numRuns: 20_000 },
  );
  assert.equal(subjectToken("demo/alice"), "demo/alice");
});

test("a list is read as it is now, however alike the one before was", () => {
  const decoder = new RecipientsDecoder();
  const encoder = new RecipientsEncoder(100_000);
  const list = (change: Record<number, string>) =>
    Array.from({ length: 500 }, (_, n) => change[n] ?? `user-${n}`);
  const decode = (subjects: readonly string[]) =>
    decoder.decode(encoder.encode(subjects).pieces[0] ?? new Uint8Array());
  const [one, other] = [list({}), list({ 3: "resu-3" })];
  const first = decode(one);
  assert.deepEqual(first, one);
  assert.equal(decode([...one]), first, "the same array, for the same list");
  assert.deepEqual(decode(other), other);
  assert.deepEqual(decode(one), one);
});

test("lists that are kept are bounded", () => {
  const decoder = new RecipientsDecoder();
  const encoder = new RecipientsEncoder(1_000_000);
  const list = (n: number) => Array.from({ length: 50_000 }, (_, m) => `user-${n}-${m}`);
  const first = encoder.encode(list(0)).pieces[0] ?? new Uint8Array();
  const tokens = decoder.decode(first);
  for (let n = 1; n < 20; n++) decoder.decode(encoder.encode(list(n)).pieces[0] ?? new Uint8Array());
  assert.notEqual(decoder.decode(first), tokens, "read anew after 13 MB of others");
});
