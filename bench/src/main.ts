/** `npm run bench -- [SCENARIO …] [--json FILE]` */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compare } from "./compare.ts";
import { counts } from "./counts.ts";
import { loadAverage, machine } from "./machine.ts";
import { writePage } from "./page/write.ts";
import { printProfiles } from "./profile.ts";
import type { Row } from "./row.ts";
import type { Scenario } from "./scenario/scenario.ts";
import { scenarios } from "./scenario/scenarios.ts";
import { tableOf } from "./table.ts";
import { readArguments, runCommand, UsageError, wholeNumber } from "./usage.ts";

const results = fileURLToPath(new URL("../results/tmp", import.meta.url));

/** Load average above which the machine is not the bench's own. */
const busyLoad = 1;

/** Those that say most in little time: about a quarter of an hour. */
const comparedByDefault = ["direct", "fanout", "backlog"];

const help = `Usage: npm run bench -- [SCENARIO …] [options]
       npm run bench -- --page FILE.json …

Each scenario starts its own server on a temporary directory and runs, in turns with it, a bare probe of the
same machine. Without SCENARIO those above the line run, which takes about five minutes; the others take long and
run where they are named.

${list(scenarios.filter(({ onRequest }) => onRequest !== true))}
  ---
${list(scenarios.filter(({ onRequest }) => onRequest === true))}

npm run bench -- counts compares what does not depend on the machine with what it was (see counts --help).

  --json FILE   write the rows as JSON
  --full        growth: ten million messages too (5 GB of disk, some minutes)
  --page        generates docs/results/README.md and its plots from the rows in FILE.json …: runs nothing
  --quick       smaller and shorter: shows that everything works, not how fast
  --rounds N    how often ours and the probe run in turns (default 3, with --quick 1)
  --profile     write CPU profiles of the servers to bench/results/tmp and print where their time went
  --compare BASE  instead: measure the server of the git revision BASE and that of this checkout in turns (--rounds,
                default 5), say what became slower, exit code 1 if anything did. Without SCENARIO: ${comparedByDefault.join(", ")}
  --help        this text
`;

async function bench(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, {
    json: { type: "string" },
    full: { type: "boolean", default: false },
    page: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    profile: { type: "boolean", default: false },
    compare: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (values.page) return writePage(positionals, say);
  const chosen = choose(positionals);
  if (values.compare !== undefined) {
    const { compare: base, json } = values;
    if (values.profile) throw new UsageError("--compare does not go with --profile");
    if (json !== undefined) write(json, []);
    return compare(
      {
        base,
        scenarios: positionals.length === 0 ? choose(comparedByDefault) : chosen,
        rounds: wholeNumber("rounds", values.rounds, 1, 30, 5),
        isQuick: values.quick,
        keep: (rows) => json !== undefined && write(json, rows),
      },
      say,
    );
  }
  const rounds = wholeNumber("rounds", values.rounds, 1, 100, values.quick ? 1 : 3);
  const profileFolder = values.profile ? join(results, `profile-${Date.now()}`) : undefined;
  if (profileFolder !== undefined) mkdirSync(profileFolder, { recursive: true });
  if (values.json !== undefined) write(values.json, []);
  say(`${machine()}, load average ${loadAverage()}`);
  if (loadAverage() > busyLoad)
    say(
      "Something else is busy on this machine: the figures will be worse than they should, the ratios too.",
    );
  const rows: Row[] = [];
  for (const scenario of chosen) {
    rows.push(
      ...(await scenario.run({ isQuick: values.quick, isFull: values.full, rounds, profileFolder }, say)),
    );
    // After each scenario, so that a run that is interrupted has not been for nothing.
    if (values.json !== undefined) write(values.json, rows);
  }
  process.stdout.write(`${tableOf(rows)}\n`);
  if (profileFolder !== undefined) process.stdout.write(`${printProfiles(profileFolder)}\n`);
  return 0;
}

function list(some: readonly Scenario[]): string {
  return some.map(({ name, meaning }) => `  ${name.padEnd(9)} ${meaning}`).join("\n");
}

function choose(names: readonly string[]): readonly Scenario[] {
  if (names.length === 0) return scenarios.filter(({ onRequest }) => onRequest !== true);
  return names.map((name) => {
    const found = scenarios.find((scenario) => scenario.name === name);
    if (found === undefined)
      throw new UsageError(
        `unknown scenario ${JSON.stringify(name)}; there are ${scenarios.map((one) => one.name).join(", ")}`,
      );
    return found;
  });
}

function write(file: string, rows: readonly object[]): void {
  try {
    writeFileSync(file, `${JSON.stringify(rows, undefined, 2)}\n`);
  } catch (error) {
    throw new UsageError(
      `--json ${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

const args = process.argv.slice(2);
await runCommand("bench", () => (args[0] === "counts" ? counts(args.slice(1)) : bench(args)));
