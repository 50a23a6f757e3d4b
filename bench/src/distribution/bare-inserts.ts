import type { AppendResult, InsertInput } from "../load/postgres-append.ts";
import { Child } from "../process/child.ts";
import { bodyBytes, withChild } from "../scenario/scenario.ts";
import type { Engines } from "./system.ts";

/** Rows per second of the plainest inserts that there are: what PostgreSQL on this machine gives. */
export async function bareInserts({ postgres }: Engines, isQuick: boolean): Promise<number> {
  const url = await postgres.createDatabase();
  const input: InsertInput = { engine: "insert", url, conversations: 10_000, bodyBytes };
  try {
    return await withChild(
      new Child(new URL("../load/postgres-append.ts", import.meta.url)),
      async (inserter) => {
        await inserter.call("open", input);
        const ms = isQuick ? 1000 : 4000;
        return (await inserter.call<AppendResult>("append", { ms })).result.perSecond;
      },
    );
  } finally {
    await postgres.dropDatabase(url);
  }
}
