import { loadProcess, withChild } from "../../scenario/scenario.ts";
import type { PeerReturnInput, PeerReturnResult } from "../load/storm.ts";
import { names, type PeerScenario } from "./scenario.ts";

const prefix = "s";
const countOf = (isQuick: boolean) => (isQuick ? 300 : 5000);

export const storm: PeerScenario = {
  name: "storm",

  setup: (isQuick) => {
    const users = names(prefix, countOf(isQuick));
    return { users, groups: [], connections: users.length, isIdle: false };
  },

  async measure(server, isQuick) {
    const count = countOf(isQuick);
    const input: PeerReturnInput = { endpoint: server.endpoint, prefix, count };
    const restartMs = await withChild(loadProcess(), async (load) => {
      await load.call("peerReturn", input);
      await server.kill();
      const startMs = performance.now();
      await server.start();
      return performance.now() - startMs;
    });
    const { connectedMs, connected, refused } = await withChild(
      loadProcess(),
      async (load) => (await load.call<PeerReturnResult>("peerReturn", input)).result,
    );
    return [
      {
        variant: `${count} connections`,
        value: connectedMs / 1000,
        unit: "s",
        better: "less",
        figures: {
          connections: count,
          restartSeconds: restartMs / 1000,
          refused,
        },
        latencies: connected,
        note: `after a SIGKILL, from listening again to the last one signed in and able to receive; until it listened, ${(restartMs / 1000).toFixed(1)} s; ${refused} attempts sent away or broken`,
      },
    ];
  },
};
