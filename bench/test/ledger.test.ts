/** The checker must be able to fail: each way in which a history can be wrong is shown to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hashLine, Ledger } from "../src/replay/ledger.ts";
import { checkReceipt } from "../src/replay/receipt-check.ts";
import { scriptOf } from "../src/replay/script.ts";
import { Seat } from "../src/replay/seat.ts";
import { encode } from "../src/wire/frame-bytes.ts";

const script = scriptOf(
  [
    { seconds: 0, group: "a", thread: 1, user: "x", text: "one" },
    { seconds: 1, group: "a", thread: 1, user: "y", text: "two" },
  ],
  10,
  10,
);

function world() {
  const ledger = new Ledger(script);
  ledger.numbering("p", 0, 0).lines.push(0);
  ledger.numbering("q", 1, 0).lines.push(1);
  const show = (seq: number, from: string, clientMessageId: string, body: string) => {
    const frame = {
      type: "message",
      id: 0,
      conversation: "g0",
      seq,
      from,
      time: 5,
      clientMessageId,
    } as const;
    const bytes = Buffer.from(encode({ ...frame, body: Buffer.from(body) }));
    return ledger.shown("u0/d0", 0, seq, bytes, 0, bytes.length);
  };
  return { ledger, show };
}

test("the right history has no differences", () => {
  const { ledger, show } = world();
  assert.equal(show(1, "u0", "p:1", "one"), 0);
  assert.equal(show(1, "u0", "p:1", "one"), 0);
  ledger.acknowledged(1, 0, 2);
  assert.equal(show(2, "u1", "q:1", "two"), 1);
  assert.deepEqual(ledger.violations, []);
});

const wrong: readonly (readonly [string, RegExp, (world_: ReturnType<typeof world>) => void])[] = [
  ["another text", /has another text/, ({ show }) => show(1, "u0", "p:1", "oNe")],
  ["another sender", /comes from u1/, ({ show }) => show(1, "u1", "p:1", "one")],
  ["a message that nobody sent", /was never sent/, ({ show }) => show(1, "u0", "p:2", "one")],
  [
    "something else for the second device",
    /G3: .* something else/,
    ({ show }) => {
      show(1, "u0", "p:1", "one");
      show(1, "u1", "q:1", "two");
    },
  ],
  [
    "a message acknowledged at two places",
    /G2: line 1 was acknowledged as seq 1 and as seq 2/,
    ({ ledger }) => {
      ledger.acknowledged(0, 0, 1);
      ledger.acknowledged(0, 0, 2);
    },
  ],
  [
    "an acknowledged seq that shows another message",
    /G3: seq 1 of g0 is line/,
    ({ ledger, show }) => {
      ledger.acknowledged(0, 0, 1);
      show(1, "u1", "q:1", "two");
    },
  ],
];

for (const [what, reason, play] of wrong) {
  test(`the checker objects to ${what}`, () => {
    const played = world();
    play(played);
    assert.equal(played.ledger.violationCount > 0, true);
    assert.match(played.ledger.violations.join("\n"), reason);
  });
}

test("G5 the checker objects to a receipt for what no device was shown", () => {
  const { ledger } = world();
  const seat = new Seat(0, "g0", ledger.numbering("r", 1, 0));
  seat.adopt(3);
  const readers = [new Map(), new Map([[0, [seat]]])];
  const receipt = (delivered: number) =>
    Buffer.from(encode({ type: "receipt", id: 0, conversation: "g0", user: "u1", delivered, read: 0 }));
  checkReceipt(readers, ledger, "u0/d0", receipt(3), 0);
  assert.equal(ledger.violationCount, 0);
  checkReceipt(readers, ledger, "u0/d0", receipt(4), 0);
  assert.match(ledger.violations[0] ?? "", /G5: .* u1 has 4 of g0/);
});

test("the hash of a history depends on every line and on their order", () => {
  const hash = (lines: readonly number[]) => lines.reduce(hashLine, 0);
  const history = [3, 1, 4, 1, 5, 9, 2, 6];
  assert.equal(hash(history), hash([...history]));
  for (let i = 0; i + 1 < history.length; i++) {
    const swapped = history.with(i, history[i + 1] as number).with(i + 1, history[i] as number);
    assert.notEqual(hash(swapped), hash(history));
    assert.notEqual(hash(history.toSpliced(i, 1)), hash(history));
    assert.notEqual(hash(history.toSpliced(i, 0, history[i] as number)), hash(history));
  }
});

test("a seat counts stored messages without holes, whatever the order of the answers", () => {
  const seat = new Seat(0, "g0", world().ledger.numbering("s", 0, 0));
  assert.deepEqual([seat.messageStored(2), seat.messageStored(3), seat.stored], [false, false, 0]);
  assert.deepEqual([seat.messageStored(1), seat.stored], [true, 3]);
  assert.equal(seat.messageStored(2), false);
});
