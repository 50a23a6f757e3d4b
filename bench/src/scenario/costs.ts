import type { Resource } from "../costs/consumption.ts";
import { Meter } from "../costs/consumption.ts";
import { type Measured, units } from "../costs/units.ts";
import { Engines } from "../distribution/system.ts";
import { type Row, rowOf } from "../row.ts";
import type { Scenario } from "./scenario.ts";

const nodeCount = 3;

/** How each resource is said, and what one of its own unit is in that. */
const said: readonly {
  readonly resource: Resource;
  readonly name: string;
  readonly unit: string;
  readonly times: number;
}[] = [
  { resource: "nodesMs", name: "nodes", unit: "µs CPU", times: 1000 },
  { resource: "postgresMs", name: "PostgreSQL", unit: "µs CPU", times: 1000 },
  { resource: "natsMs", name: "NATS", unit: "µs CPU", times: 1000 },
  { resource: "walBytes", name: "PostgreSQL's log", unit: "bytes", times: 1 },
  { resource: "natsBytes", name: "sent by NATS", unit: "bytes", times: 1 },
  { resource: "natsHeldBytes", name: "memory of NATS", unit: "bytes", times: 1 },
];

export const costs: Scenario = {
  name: "costs",
  meaning: `what one message, delivery, sign-in, heartbeat uses of ${nodeCount} nodes, PostgreSQL and NATS: what a cluster is made of`,
  onRequest: true,

  async run(effort, say) {
    const rows: Row[] = [];
    const engines = await Engines.start(nodeCount);
    try {
      for (const unit of units) {
        const all: Measured[] = [];
        for (let round = 0; round < effort.rounds; round++) {
          say(`costs: ${unit.name} ${round + 1}/${effort.rounds}`);
          const options = { settings: unit.settings ?? {}, profileFolder: effort.profileFolder };
          all.push(
            await engines
              .system(nodeCount)
              .with(options, async (nodes) =>
                unit.measure(nodes, await Meter.of(engines, nodes), effort.isQuick),
              ),
          );
        }
        for (const { resource, name, unit: unitOf, times } of said)
          rows.push(
            rowOf({
              scenario: "costs",
              variant: `${unit.name}, ${name}`,
              unit: unitOf,
              better: "less",
              values: all.map(({ used, count }) => (used[resource] * times) / count),
              nodes: nodeCount,
              of: unit.name,
              resource: name,
              note: unit.note,
            }),
          );
      }
      return rows;
    } finally {
      await engines.stop();
    }
  },
};
