/** `hongyan migrate`: moves the data of the embedded store into PostgreSQL, also while the server serves them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Journal } from "@hongyan/core";
import type { Config } from "../config/schema.ts";
import { shortened } from "../config/shortened.ts";
import type {
  MigrationMode,
  MigrationProgress,
  MigrationRequest,
  MigrationResult,
} from "../migration/request.ts";
import { becomeOwner } from "../process/become-owner.ts";
import { StartError, storeError } from "../process/start-error.ts";
import { configOf, type Option, readArguments, UsageError } from "./arguments.ts";
import { counted, tallyText } from "./counted.ts";
import { ProgressLine } from "./progress-line.ts";

export const migrateOptions: Readonly<Record<string, Option>> = {
  "dry-run": { type: "boolean", meaning: "Looks at both sides, and writes nothing." },
  verify: { type: "boolean", meaning: "Compares what was moved before with the database." },
};

export async function migrate(args: readonly string[]): Promise<void> {
  const read = readArguments(args, migrateOptions);
  const [isDry, isVerify] = [read.options.has("dry-run"), read.options.has("verify")];
  if (isDry && isVerify) throw new UsageError("choose one of --dry-run and --verify");
  const mode: MigrationMode = isDry ? "dry run" : isVerify ? "verify" : "move";
  const { config } = configOf(read);
  const { url } = config.postgres;
  if (url === "")
    throw new UsageError(
      "postgres.url is missing: name the database in a file of settings (--config) or in HONGYAN_POSTGRES_URL",
    );
  const line = new ProgressLine();
  const report = (progress: MigrationProgress): void => line.show(wordsOf(progress), progress);
  try {
    const request = { mode, url };
    const { callServer } = await import("../migration/control-call.ts");
    const byServer = await callServer(config.data, request, report);
    const result = byServer ?? (await migrateStopped(config, request, report));
    line.end();
    process.stdout.write(`${resultText(result, byServer !== undefined)}\n`);
  } catch (error) {
    line.end();
    throw error instanceof Error ? new StartError(error.message, error) : error;
  }
}

/** No server has the directory: the same, in this process. */
async function migrateStopped(
  config: Config,
  request: MigrationRequest,
  report: (progress: MigrationProgress) => void,
): Promise<MigrationResult> {
  const { data } = config;
  const directory = join(data, "store");
  if (!existsSync(directory))
    throw new StartError(`${shortened(data)} holds no data: name the directory with --data`);
  const [{ EmbeddedStore }, { MovableStore }, { Migration }, { openPostgres }] = await Promise.all([
    import("@hongyan/store/embedded"),
    import("@hongyan/store/copy"),
    import("../migration/migration.ts"),
    import("../process/engines.ts"),
  ]);
  becomeOwner(data);
  const from = await EmbeddedStore.open({ directory, create: false, opensMoved: true }).catch(
    (error: unknown) => {
      throw storeError(error, data);
    },
  );
  const store = new MovableStore(from);
  try {
    const migration = new Migration({
      store,
      from,
      journal: silent,
      open: (url) => openPostgres(config, url, silent, true),
      shared: () => {},
    });
    return await migration.run(request, report, new AbortController().signal);
  } finally {
    await store.close();
  }
}

const silent: Journal = { info: () => {}, warn: () => {} };

function wordsOf({ phase, entries }: MigrationProgress): string {
  if (phase === "copy") return `copying ${counted(entries, "entry", "entries")}`;
  if (phase === "compare") return "comparing";
  return phase === "stop" ? "switching" : "moved";
}

function resultText(result: MigrationResult, isServed: boolean): string {
  if (result.kind === "same") return `The same on both sides: ${tallyText(result.compared)}.`;
  if (result.kind === "surveyed") {
    const { found } = result;
    const begun = result.isBegun ? "A copy was begun there: it would go on." : "The database is empty.";
    return `To be copied: ${counted(found.logs, "log")} with ${tallyText(found)}.\n${begun} Nothing was written.`;
  }
  const next = isServed
    ? "The server goes on there. Before it is started anew, set postgres.url in its configuration."
    : "Set postgres.url in the configuration, and start the server.";
  if (result.kind === "finished") return `Was moved before: to the ${result.place}.\n${next}`;
  const { copied, compared, stopMs, place } = result;
  return `Moved to the ${place}.
Copied ${tallyText(copied)}; compared ${counted(compared.entries, "entry", "entries")}.
Writes waited for ${number(Math.round(stopMs))} ms.
${next}`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
