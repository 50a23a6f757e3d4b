import { setTimeout as sleep } from "node:timers/promises";
import type { Memory } from "../../process/memory.ts";
import { treeMemory } from "../../process/process-tree.ts";
import { loadProcess, withChild } from "../../scenario/scenario.ts";
import type { PeerDialInput } from "../load/idle.ts";
import type { PeerServer } from "../system/system.ts";
import { names, type PeerScenario } from "./scenario.ts";

const prefix = "i";
/** Connections before the memory is first read: what these make ready is there once and not for each. */
const first = 50;
const collectEveryMs = 1500;
/**
 * V8 gives memory back late: pages of collected garbage stay pooled for many seconds. Where garbage cannot be
 * collected from outside, waiting longer changes nothing.
 */
const turns = { quick: 2, collectable: 15, other: 4 };

const countOf = (isQuick: boolean) => (isQuick ? 500 : 10_000);

export const idle: PeerScenario = {
  name: "idle",

  setup: (isQuick) => {
    const users = names(prefix, countOf(isQuick));
    return { users, groups: [], connections: users.length, isIdle: true };
  },

  measure: (server, isQuick) =>
    withChild(loadProcess(), async (load) => {
      const count = countOf(isQuick);
      const input: PeerDialInput = { endpoint: server.endpoint, prefix, count: first, stays: false };
      await load.call("peerDial", input);
      const before = await settled(server, isQuick);
      const { result } = await load.call<{ ms: number }>("peerDial", { ...input, count });
      const atOnce = treeMemory(server.pid);
      const after = await settled(server, isQuick);
      await load.call("peerHangUp");
      const each = (memory: Memory, kind: "rss" | "pss") => (memory[kind] - before[kind]) / (count - first);
      return [
        {
          variant: `${count} connections`,
          value: each(after, "rss"),
          unit: "bytes/connection",
          better: "less",
          figures: {
            connections: count,
            bytesPerConnection: Math.round(each(after, "rss")),
            pssPerConnection: Math.round(each(after, "pss")),
            uncollectedPerConnection: Math.round(each(atOnce, "rss")),
            rssBefore: before.rss,
            connectsPerSecond: Math.round(((count - first) / result.ms) * 1000),
          },
          note: `growth of the RSS of all of the server's processes beyond the first ${first}; signed in and able to receive${isQuick ? "; too few connections and too short a wait for more than an impression" : ""}`,
        },
      ];
    }),
};

async function settled(server: PeerServer, isQuick: boolean): Promise<Memory> {
  const count = isQuick ? turns.quick : server.collectGarbage === undefined ? turns.other : turns.collectable;
  for (let turn = 0; turn < count; turn++) {
    server.collectGarbage?.();
    await sleep(collectEveryMs);
  }
  return treeMemory(server.pid);
}
