import { treeCpuShare } from "../../process/process-tree.ts";
import { userId } from "../../replay/script.ts";
import { loadProcess, withChild } from "../../scenario/scenario.ts";
import type { PeerTraceInput, PeerTraceResult } from "../load/trace.ts";
import { scriptFrom, type TraceSource } from "../trace-source.ts";
import { names, type PeerScenario } from "./scenario.ts";

const window = 20_000;
const playMsMax = 20_000;

/** Plays the trace in a file, or a made-up one. */
export function traceScenario(file: string | undefined): PeerScenario {
  const sourceOf = (isQuick: boolean): TraceSource => ({
    file,
    usersMax: isQuick ? 200 : 100_000,
    messagesMax: isQuick ? 1000 : 100_000_000,
  });
  return {
    name: "trace",

    setup: (isQuick) => {
      const { users, groups } = scriptFrom(sourceOf(isQuick));
      return {
        users: names("u", users),
        groups: groups.map(({ id: name, members }) => ({ name, members: members.map(userId) })),
        connections: users,
        isIdle: false,
      };
    },

    async measure(server, isQuick) {
      const source = sourceOf(isQuick);
      const input: PeerTraceInput = { endpoint: server.endpoint, source, window, playMsMax };
      const { result, cpuShare } = await treeCpuShare(server.pid, () =>
        withChild(
          loadProcess(),
          async (load) => (await load.call<PeerTraceResult>("peerTrace", input)).result,
        ),
      );
      const { users, lines, groups } = scriptFrom(source);
      const { received, messages, messagesPerSecond, deliveries, repeated } = result;
      return [
        {
          variant: file === undefined ? "made up" : "recorded",
          value: result.deliveriesPerSecond,
          unit: "deliveries/s",
          better: "more",
          figures: {
            messagesPerSecond: Math.round(messagesPerSecond),
            messages,
            users,
            groups: groups.length,
            deliveries,
            repeated,
          },
          latencies: received,
          cpu: { generator: result.cpuShare, server: cpuShare },
          note: `${messages} of ${lines.length} messages of ${users} users in ${groups.length} groups to all other members, all online, at most ${window} deliveries outstanding, for ${playMsMax / 1000} s at most; ${Math.round(messagesPerSecond)} messages/s`,
        },
      ];
    },
  };
}
