import type { FanoutInput, FanoutResult } from "../load/fanout.ts";
import { createGroup } from "../process/api.ts";
import { rowOf } from "../row.ts";
import {
  bodyBytes,
  busy,
  cpuShareOf,
  loadProcess,
  type Scenario,
  withChild,
  withServer,
} from "./scenario.ts";

const members = 1000;
/** Messages per second: with 1,000 members 100,000 deliveries, six million in a minute. */
const rate = 100;

export const sustained: Scenario = {
  name: "sustained",
  meaning: `six million deliveries in a minute: ${rate} messages a second to ${members} members who are online`,
  onRequest: true,

  async run(effort, say) {
    const measureMs = effort.isQuick ? 3000 : 60_000;
    say(`sustained: ${measureMs / 1000} s`);
    return withServer({ profileFolder: effort.profileFolder }, async (server) => {
      const names = Array.from({ length: members }, (_, index) => `m${index}`);
      await createGroup(server, "everybody", ["sender", ...names]);
      const input: FanoutInput = {
        port: server.tcpPort,
        transport: "tcp",
        trust: server.signer,
        conversation: "everybody",
        members,
        prefix: "m",
        sender: "sender",
        inFlight: 0,
        rate,
        bodyBytes,
        warmMs: effort.isQuick ? 1000 : 3000,
        measureMs,
      };
      return withChild(loadProcess(), async (load) => {
        const { result: done, cpuShare } = await cpuShareOf(server.pid, () =>
          load.call<FanoutResult>("fanout", input),
        );
        const { deliveriesPerSecond, received, cpuShare: generator, lateMs } = done.result;
        const { p50, p99, p999 } = received;
        return [
          rowOf({
            scenario: "sustained",
            variant: `tcp, ${measureMs / 1000} s at ${(rate * members).toLocaleString("en")} deliveries/s`,
            unit: "deliveries/minute",
            better: "more",
            values: [deliveriesPerSecond * 60],
            transport: "tcp",
            seconds: measureMs / 1000,
            p50,
            p99,
            p999,
            max: received.max,
            note: `${received.count.toLocaleString("en")} deliveries in ${measureMs / 1000} s at a fixed rate, latency is send→received, at worst ${received.max.toFixed(0)} ms; the generator was ${lateMs.toFixed(1)} ms late at worst; all acknowledged; ${busy(generator, cpuShare)}`,
          }),
        ];
      });
    });
  },
};
