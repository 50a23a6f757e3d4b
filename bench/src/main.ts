/** `npm run bench -- [SCENARIO …] [--json FILE]` */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadAverage, machine } from "./machine.ts";
import { choosePeerScenarios, choosePeers, peerNames, peerScenarioNames, runPeers } from "./peers/command.ts";
import { printProfiles } from "./profile.ts";
import type { Row } from "./row.ts";
import type { Scenario } from "./scenario/scenario.ts";
import { scenarios } from "./scenario/scenarios.ts";
import { tableOf } from "./table.ts";
import { readArguments, runCommand, UsageError, wholeNumber } from "./usage.ts";

const results = fileURLToPath(new URL("../results/tmp", import.meta.url));

/** Load average above which the machine is not the bench's own. */
const busyLoad = 1;

const help = `Usage: npm run bench -- [SCENARIO …] [options]

Each scenario starts its own server on a temporary directory and runs, in turns with it, a bare probe of the
same machine. Without SCENARIO all of them run, which takes about five minutes.

${scenarios.map(({ name, meaning }) => `  ${name.padEnd(9)} ${meaning}`).join("\n")}

  --peers       compare with other servers instead: ${peerScenarioNames.join(", ")}; installs them (as root on
                Debian) and takes turns, every system once in each round; --peers=LIST: only these of
                ${peerNames.join(", ")}
  --trace FILE  with --peers: the trace that the scenario trace plays (lines as npm run replay takes them); default
                is a made-up one
  --json FILE   write the rows as JSON
  --quick       smaller and shorter: shows that everything works, not how fast
  --rounds N    how often ours and the probe run in turns (default 3, with --peers 5, with --quick 1)
  --profile     write CPU profiles of the servers to bench/results/tmp and print where their time went
  --help        this text
`;

async function bench(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args.map(withList), {
    peers: { type: "string" },
    trace: { type: "string" },
    json: { type: "string" },
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    profile: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const isComparing = values.peers !== undefined;
  const rounds = wholeNumber("rounds", values.rounds, 1, 100, values.quick ? 1 : isComparing ? 5 : 3);
  if (values.peers !== undefined) return comparePeers(values.peers, positionals, rounds, values);
  if (values.trace !== undefined) throw new UsageError("--trace goes with --peers");
  const chosen = choose(positionals);
  const profileFolder = values.profile ? join(results, `profile-${Date.now()}`) : undefined;
  if (profileFolder !== undefined) mkdirSync(profileFolder, { recursive: true });
  if (values.json !== undefined) write(values.json, []);
  sayMachine();
  const rows: Row[] = [];
  for (const scenario of chosen) {
    rows.push(...(await scenario.run({ isQuick: values.quick, rounds, profileFolder }, say)));
    // After each scenario, so that a run that is interrupted has not been for nothing.
    if (values.json !== undefined) write(values.json, rows);
  }
  process.stdout.write(`${tableOf(rows)}\n`);
  if (profileFolder !== undefined) process.stdout.write(`${printProfiles(profileFolder)}\n`);
  return 0;
}

/** `--peers` may stand alone: then it means all of them, and does not take the next word for its list. */
function withList(arg: string): string {
  return arg === "--peers" ? "--peers=" : arg;
}

async function comparePeers(
  list: string,
  names: readonly string[],
  rounds: number,
  values: {
    readonly json?: string | undefined;
    readonly trace?: string | undefined;
    readonly quick: boolean;
    readonly profile: boolean;
  },
): Promise<number> {
  if (values.profile) throw new UsageError("--profile does not go with --peers");
  const [chosen, scenarios] = [choosePeers(list), choosePeerScenarios(names, values.trace)];
  const { json, quick: isQuick } = values;
  if (json !== undefined) write(json, []);
  sayMachine();
  return runPeers(chosen, scenarios, { isQuick, rounds }, say, (rows) => {
    if (json !== undefined) write(json, rows);
  });
}

function sayMachine(): void {
  say(`${machine()}, load average ${loadAverage()}`);
  if (loadAverage() > busyLoad)
    say(
      "Something else is busy on this machine: the figures will be worse than they should, the ratios too.",
    );
}

function choose(names: readonly string[]): readonly Scenario[] {
  if (names.length === 0) return scenarios;
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

await runCommand("bench", () => bench(process.argv.slice(2)));
