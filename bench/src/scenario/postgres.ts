import { type PostgresServer, startPostgres } from "@hongyan/testkit/postgres";
import type { AppendResult, StoreInput } from "../load/postgres-append.ts";
import { median } from "../measure/statistics.ts";
import { Child } from "../process/child.ts";
import { inTree } from "../process/tree.ts";
import { type Row, rowOf } from "../row.ts";
import { bodyBytes, type Effort, type Scenario, withChild } from "./scenario.ts";

/** Many conversations of which most are seen for the first time, and few that everybody writes to, as in `direct`. */
const variants = [
  { conversations: 100_000, writers: 2_000 },
  { conversations: 100, writers: 6_400 },
] as const;

export const postgres: Scenario = {
  name: "postgres",
  meaning:
    "durable appends with dedupe to PostgreSQL on this machine, which is installed where it is missing",
  onRequest: true,

  async run(effort, say) {
    const server = await startPostgres({ settings: { shared_buffers: "512MB", max_wal_size: "4GB" } });
    try {
      const rows: Row[] = [];
      for (const variant of variants) rows.push(await measure(server, variant, effort, say));
      return rows;
    } finally {
      await server.stop();
    }
  },
};

async function measure(
  server: PostgresServer,
  { conversations, writers }: (typeof variants)[number],
  effort: Effort,
  say: (line: string) => void,
): Promise<Row> {
  const ms = effort.isQuick ? 1_000 : 10_000;
  const url = await server.createDatabase();
  const input: StoreInput = {
    engine: "store",
    storeModule: inTree("packages/store/src/postgres/index.ts"),
    url,
    conversations,
    writers,
    bodyBytes,
  };
  const variant = `append, ${writers.toLocaleString("en")} writers, ${conversations.toLocaleString("en")} conversations`;
  return withChild(appender(), (ours) =>
    withChild(appender(), async (bare) => {
      await ours.call("open", input);
      await bare.call("open", { ...input, engine: "insert" });
      const runs: AppendResult[] = [];
      const probes: AppendResult[] = [];
      // The first round makes the logs, and is not counted.
      for (let round = 0; round <= effort.rounds; round++) {
        say(`postgres: ${variant}, round ${round} of ${effort.rounds}`);
        const run = (await ours.call<AppendResult>("append", { ms })).result;
        const probe = (await bare.call<AppendResult>("append", { ms })).result;
        if (round === 0) continue;
        runs.push(run);
        probes.push(probe);
      }
      const perTransaction = Math.round(median(runs.map((run) => run.perTransaction)));
      return rowOf({
        scenario: "postgres",
        variant,
        unit: "messages/s",
        better: "more",
        values: runs.map(({ perSecond }) => perSecond),
        probes: probes.map(({ perSecond }) => perSecond),
        note: `conversations at random, 200 bytes, one message in flight per writer, ${perTransaction} per transaction over four connections; probe: one INSERT of 500 rows of the same size per transaction into a table with a primary key, four connections`,
      });
    }),
  );
}

function appender(): Child {
  return new Child(new URL("../load/postgres-append.ts", import.meta.url));
}
