import assert from "node:assert/strict";
import { test } from "node:test";
import { compare } from "../../src/peers/comparison.ts";
import type { PeerScenario } from "../../src/peers/scenario/scenario.ts";
import type { Peer, PeerServer, System } from "../../src/peers/system/system.ts";

/** Servers that only write down what happens to them. */
function world() {
  const log: string[] = [];
  const system = (name: string, more: Partial<System> = {}): System => ({
    name,
    durable: false,
    acknowledgement: "none",
    server: (): PeerServer => ({
      endpoint: { protocol: "mqtt", port: 1 },
      pid: 1,
      collectGarbage: undefined,
      start: async () => void log.push(`start ${name}`),
      kill: async () => {},
      remove: async () => void log.push(`remove ${name}`),
    }),
    ...more,
  });
  const peer = (name: string, systems: readonly System[], more: Partial<Peer> = {}): Peer => ({
    name,
    systems,
    install: async () => {},
    version: async () => "1.0",
    ...more,
  });
  let runs = 0;
  const scenario = (measure: () => number): PeerScenario => ({
    name: "direct",
    setup: () => ({ users: [], groups: [], connections: 0, isIdle: false }),
    measure: async () => [
      {
        variant: "fast",
        value: measure(),
        unit: "messages/s",
        better: "more",
        figures: { run: runs++ },
        note: "",
      },
    ],
  });
  return { log, system, peer, scenario };
}

const quietly = () => {};

test("every system has its turn in each round, and a fresh server each time", async () => {
  const { log, system, peer, scenario } = world();
  let value = 0;
  const { rows, absences } = await compare(
    [peer("a", [system("a1"), system("a2")]), peer("b", [system("b")])],
    [scenario(() => ++value)],
    { isQuick: true, rounds: 2 },
    quietly,
    quietly,
  );
  const turn = ["a1", "a2", "b"].flatMap((name) => [`start ${name}`, `remove ${name}`]);
  assert.deepEqual(log, [...turn, ...turn]);
  assert.deepEqual(
    rows.map((row) => [row.system, row.version, row.value, row.runs]),
    [
      ["a1", "1.0", 2.5, 2],
      ["a2", "1.0", 3.5, 2],
      ["b", "1.0", 4.5, 2],
    ],
  );
  assert.deepEqual(absences, []);
});

test("what cannot be had, cannot do it or fails is named with its reason, and the others are measured", async () => {
  const { log, system, peer, scenario } = world();
  let value = 0;
  const { rows, absences } = await compare(
    [
      peer("gone", [system("gone 1"), system("gone 2")], {
        install: async () => {
          throw new Error("no such package");
        },
      }),
      peer("old", [system("old"), system("new", { missing: async () => "missing: too old" })]),
      peer("other", [system("forgetful", { without: { direct: "keeps nothing" } }), system("weak")]),
    ],
    [
      scenario(() => {
        if (++value === 2) throw new Error("fell over");
        return value;
      }),
    ],
    { isQuick: true, rounds: 2 },
    quietly,
    quietly,
  );
  assert.deepEqual(
    rows.map((row) => row.system),
    ["old"],
  );
  assert.deepEqual(
    absences.map(({ scenario, system, value, missing }) => [scenario, system, value, missing]),
    [
      ["all", "gone 1", null, "missing: no such package"],
      ["all", "gone 2", null, "missing: no such package"],
      ["all", "new", null, "missing: too old"],
      ["direct", "forgetful", null, "keeps nothing"],
      ["direct", "weak", null, "failed in round 1: fell over"],
    ],
  );
  assert.deepEqual(log, ["start old", "remove old", "start weak", "remove weak", "start old", "remove old"]);
});
