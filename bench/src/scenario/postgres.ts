import { startPostgres } from "@hongyan/testkit/postgres";
import type { AppendResult, StoreInput } from "../load/postgres-append.ts";
import { median } from "../measure/statistics.ts";
import { Child } from "../process/child.ts";
import { inTree } from "../process/tree.ts";
import { rowOf } from "../row.ts";
import { bodyBytes, type Scenario, withChild } from "./scenario.ts";

const writers = 2_000;
const conversations = 100_000;

export const postgres: Scenario = {
  name: "postgres",
  meaning:
    "durable appends with dedupe to PostgreSQL on this machine, which is installed where it is missing",
  onRequest: true,

  async run(effort, say) {
    const ms = effort.isQuick ? 1_000 : 10_000;
    const server = await startPostgres({ settings: { shared_buffers: "512MB", max_wal_size: "4GB" } });
    try {
      const url = await server.createDatabase();
      const input: StoreInput = {
        engine: "store",
        storeModule: inTree("packages/store/src/postgres/index.ts"),
        url,
        conversations,
        writers,
        bodyBytes,
      };
      return await withChild(appender(), (ours) =>
        withChild(appender(), async (bare) => {
          await ours.call("open", input);
          await bare.call("open", { ...input, engine: "insert" });
          const runs: AppendResult[] = [];
          const probes: AppendResult[] = [];
          // The first round makes the logs, and is not counted.
          for (let round = 0; round <= effort.rounds; round++) {
            say(`postgres: round ${round} of ${effort.rounds}`);
            const run = (await ours.call<AppendResult>("append", { ms })).result;
            const probe = (await bare.call<AppendResult>("append", { ms })).result;
            if (round === 0) continue;
            runs.push(run);
            probes.push(probe);
          }
          const perTransaction = Math.round(median(runs.map((run) => run.perTransaction)));
          return [
            rowOf({
              scenario: "postgres",
              variant: `append, ${writers.toLocaleString("en")} writers`,
              unit: "messages/s",
              better: "more",
              values: runs.map(({ perSecond }) => perSecond),
              probes: probes.map(({ perSecond }) => perSecond),
              note: `${conversations.toLocaleString("en")} conversations at random, 200 bytes, one message in flight per writer, ${perTransaction} per transaction over four connections; probe: one INSERT of 500 rows of the same size per transaction into a table with a primary key, four connections`,
            }),
          ];
        }),
      );
    } finally {
      await server.stop();
    }
  },
};

function appender(): Child {
  return new Child(new URL("../load/postgres-append.ts", import.meta.url));
}
