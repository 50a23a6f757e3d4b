import { treeCpuShare } from "../../process/process-tree.ts";
import { bodyBytes, loadProcess, withChild } from "../../scenario/scenario.ts";
import type { PeerFanoutInput, PeerFanoutResult } from "../load/fanout.ts";
import { names, type PeerScenario } from "./scenario.ts";

const members = 1000;
const inFlight = 8;
const group = "everybody";
const prefix = "m";
const sender = "sender";

export const fanout: PeerScenario = {
  name: "fanout",

  setup: () => {
    const users = [sender, ...names(prefix, members)];
    return { users, groups: [{ name: group, members: users }], connections: users.length, isIdle: false };
  },

  async measure(server, isQuick) {
    const times = isQuick ? { warmMs: 500, measureMs: 1000 } : { warmMs: 1000, measureMs: 2000 };
    const { endpoint } = server;
    const input: PeerFanoutInput = {
      ...{ endpoint, group, members, prefix, sender, inFlight, bodyBytes },
      ...times,
    };
    const { result, cpuShare } = await treeCpuShare(server.pid, () =>
      withChild(
        loadProcess(),
        async (load) => (await load.call<PeerFanoutResult>("peerFanout", input)).result,
      ),
    );
    return [
      {
        variant: `${inFlight} in flight`,
        value: result.deliveriesPerSecond,
        unit: "deliveries/s",
        better: "more",
        figures: { inFlight, members, repeated: result.repeated },
        latencies: result.received,
        cpu: { generator: result.cpuShare, server: cpuShare },
        note: `a message is in flight until all ${members} have it; latency is send→received`,
      },
    ];
  },
};
