#!/usr/bin/env node
/** The command line. What is not needed is not loaded: `--help` answers before a server could. */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { UsageError } from "./command/arguments.ts";
import { help } from "./command/help.ts";
import { suggestion } from "./config/nearest.ts";
import { ConfigurationError } from "./config/resolve.ts";
import { quoted } from "./config/shortened.ts";
import { StartError } from "./process/start-error.ts";
import { packageVersion } from "./process/version.ts";

// Stripped types and compiled code are kept between starts: ready after 0.4 s instead of 0.8 s on a busy machine.
// In the package and not in the shared temporary directory, where another user could put code of theirs.
enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/", import.meta.url)));

type Run = (args: readonly string[]) => void | Promise<void>;

const commands: Readonly<Record<string, () => Promise<Run>>> = {
  start: async () => (await import("./command/start.ts")).start,
  token: async () => (await import("./command/token.ts")).token,
  config: async () => (await import("./command/config.ts")).config,
  migrate: async () => (await import("./command/migrate.ts")).migrate,
  buckets: async () => (await import("./command/buckets.ts")).buckets,
  export: async () => (await import("./command/export.ts")).exportDomain,
  import: async () => (await import("./command/import.ts")).importDomain,
};

async function main([command, ...args]: readonly string[]): Promise<void> {
  if (command === "--version" || command === "-v" || args.includes("--version")) {
    process.stdout.write(`hongyan ${packageVersion()}\n`);
    return;
  }
  if (command === undefined)
    throw new UsageError(`a command is missing: ${Object.keys(commands).join(", ")}`);
  const asksHelp = (word: string) => word === "--help" || word === "-h";
  const isHelp = command === "help" || asksHelp(command) || args.some(asksHelp);
  const named = command === "help" || asksHelp(command) ? args.find((word) => !asksHelp(word)) : command;
  if (named !== undefined && !Object.hasOwn(commands, named))
    throw new UsageError(`unknown command ${quoted(named)}.${suggestion(named, Object.keys(commands))}`);
  if (isHelp) process.stdout.write(help(named));
  else await (await commands[command]?.())?.(args);
}

/** One line per problem for people; a stack only where the fault is ours. */
function report(error: unknown): number {
  const problems = error instanceof ConfigurationError ? error.problems : [messageOf(error)];
  for (const problem of problems) process.stderr.write(`hongyan: ${problem}\n`);
  if (error instanceof UsageError)
    process.stderr.write(`Try npx hongyan ${helpFor(process.argv[2])}--help.\n`);
  return error instanceof UsageError || error instanceof ConfigurationError ? 2 : 1;
}

/** The command whose help says more. */
function helpFor(command: string | undefined): string {
  return command !== undefined && Object.hasOwn(commands, command) ? `${command} ` : "";
}

function messageOf(error: unknown): string {
  if (error instanceof UsageError || error instanceof StartError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.exit(report(error));
}
