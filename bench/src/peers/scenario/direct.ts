import { treeCpuShare } from "../../process/process-tree.ts";
import { bodyBytes, loadProcess, withChild } from "../../scenario/scenario.ts";
import type { PeerDirectInput, PeerDirectResult } from "../load/direct.ts";
import type { Sample } from "../sample.ts";
import type { PeerServer } from "../system/system.ts";
import { names, type PeerScenario } from "./scenario.ts";

const users = 200;
/** Each with users of its own, so that nothing of the one before is left. */
const cells = [
  { inFlight: 1, prefix: "a" },
  { inFlight: 32, prefix: "b" },
];

export const direct: PeerScenario = {
  name: "direct",

  setup: () => ({
    users: cells.flatMap(({ prefix }) => names(prefix, users)),
    groups: [],
    connections: users,
    isIdle: false,
  }),

  async measure(server, isQuick) {
    const samples: Sample[] = [];
    for (const cell of cells) samples.push(await measureCell(server, cell, isQuick));
    return samples;
  },
};

async function measureCell(
  server: PeerServer,
  { inFlight, prefix }: { inFlight: number; prefix: string },
  isQuick: boolean,
): Promise<Sample> {
  const times = isQuick ? { warmMs: 500, measureMs: 1000 } : { warmMs: 1000, measureMs: 2000 };
  const input: PeerDirectInput = { endpoint: server.endpoint, users, prefix, inFlight, bodyBytes, ...times };
  const { result, cpuShare } = await treeCpuShare(server.pid, () =>
    withChild(loadProcess(), async (load) => (await load.call<PeerDirectResult>("peerDirect", input)).result),
  );
  const { perSecond, stored, received, repeated } = result;
  return {
    variant: `${inFlight} in flight`,
    value: perSecond,
    unit: "messages/s",
    better: "more",
    figures: {
      inFlight,
      storedP50: stored.p50,
      storedP99: stored.p99,
      repeated,
    },
    latencies: received,
    cpu: { generator: result.cpuShare, server: cpuShare },
    note: `${users} users in pairs, ${bodyBytes} bytes; latency is send→received${repeated > 0 ? `; ${repeated} messages came twice` : ""}`,
  };
}
