/** `npm run bench -- [SCENARIO …] [--json FILE]`, and what else is measured or made from it: see `--help`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compare } from "./compare.ts";
import { counts } from "./counts.ts";
import { chooseCells, distributedScenarioNames, nodesOnPostgres } from "./distribution/command.ts";
import { distribution } from "./distribution/distribution.ts";
import { loadAverage, machine } from "./machine.ts";
import { writePage } from "./page/write.ts";
import { choosePeerScenarios, choosePeers, peerNames, peerScenarioNames, runPeers } from "./peers/command.ts";
import { printProfiles } from "./profile.ts";
import type { Row } from "./row.ts";
import type { Scenario } from "./scenario/scenario.ts";
import { scenarios } from "./scenario/scenarios.ts";
import { tableOf } from "./table.ts";
import { readArguments, runCommand, shortened, UsageError, wholeNumber } from "./usage.ts";

const results = fileURLToPath(new URL("../results/tmp", import.meta.url));

/** Load average above which the machine is not the bench's own. */
const busyLoad = 1;

/** Those that say most in little time: about a quarter of an hour. */
const comparedByDefault = ["direct", "fanout", "backlog"];

const help = `Usage: npm run bench -- [SCENARIO …] [options]
       npm run bench -- --peers[=LIST] [SCENARIO …] [options]
       npm run bench -- --store postgres [--nodes N] [SCENARIO …] [options]
       npm run bench -- --compare BASE [SCENARIO …] [options]
       npm run bench -- --page FILE.json …
       npm run bench -- counts [--write]

Each scenario starts its own server on a temporary directory and runs, in turns with it, a bare probe of the
same machine. Without SCENARIO those above the line run, which takes about five minutes; the others take long and
run where they are named.

${list(scenarios.filter(({ onRequest }) => onRequest !== true))}
  ---
${list(scenarios.filter(({ onRequest }) => onRequest === true))}

  --json FILE     write the rows as JSON
  --quick         smaller and shorter: shows that everything works, not how fast
  --rounds N      how often everything runs in turns (default 3, with --peers or --compare 5, with --quick 1)
  --full          growth: ten million messages too (5 GB of disk, some minutes)
  --profile       write CPU profiles of the servers to bench/results/tmp and print where their time went
  --help          this text

--peers does the same work with other servers: ${peerScenarioNames.join(", ")}. It installs them (as
root on Debian) and takes turns, every system once in each round. LIST: only these of
${peerNames.join(", ")}.

  --trace FILE    the trace that the scenario trace plays (lines as npm run replay takes them); default is a made-up
                  one

--store postgres plays ${distributedScenarioNames.join(", ")} on a node that keeps everything in
PostgreSQL, in turns with one that has the embedded store; --nodes N on N of them, joined by NATS, with clients on all
of them. PostgreSQL and NATS are installed where they are missing (as root on Debian).

--compare measures the server of the git revision BASE and that of this checkout in turns and says what became
slower; exit code 1 if anything did. Without SCENARIO: ${comparedByDefault.join(", ")}.

--page generates docs/results/README.md and its plots from the rows in FILE.json …, and runs nothing.

counts compares what does not depend on the machine with what it was.
`;

interface Flags {
  readonly json?: string | undefined;
  readonly trace?: string | undefined;
  readonly rounds?: string | undefined;
  readonly quick: boolean;
  readonly full: boolean;
  readonly profile: boolean;
}

async function bench(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args.map(withList), {
    peers: { type: "string" },
    compare: { type: "string" },
    store: { type: "string" },
    nodes: { type: "string" },
    page: { type: "boolean", default: false },
    trace: { type: "string" },
    json: { type: "string" },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  });
  const { peers, compare: base, page, trace, profile, store, nodes } = values;
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (Number(page) + Number(peers !== undefined) + Number(base !== undefined) > 1)
    throw new UsageError("--peers, --compare and --page are three different things: one at a time");
  if ((page || peers !== undefined || base !== undefined) && (store ?? nodes) !== undefined)
    throw new UsageError("--store and --nodes go with none of --peers, --compare and --page");
  if (trace !== undefined && peers === undefined) throw new UsageError("--trace goes with --peers");
  if (profile && (peers !== undefined || base !== undefined))
    throw new UsageError("--profile goes with neither --peers nor --compare");
  if (page) return writePage(positionals, say);
  if (peers !== undefined) return comparePeers(peers, positionals, values);
  if (base !== undefined) return compareRevisions(base, positionals, values);
  const nodeCount = nodesOnPostgres(store, nodes);
  if (nodeCount !== undefined) return measureDistribution(nodeCount, positionals, values);
  return measure(choose(positionals), values);
}

/** `--peers` may stand alone: then it means all of them, and does not take the next word for its list. */
function withList(arg: string): string {
  return arg === "--peers" ? "--peers=" : arg;
}

async function measure(chosen: readonly Scenario[], flags: Flags): Promise<number> {
  const { quick: isQuick, full: isFull } = flags;
  const rounds = wholeNumber("rounds", flags.rounds, 1, 100, isQuick ? 1 : 3);
  const keep = keeper(flags.json);
  const profileFolder = folderOf(flags.profile);
  sayMachine();
  const rows: Row[] = [];
  for (const scenario of chosen) {
    rows.push(...(await scenario.run({ isQuick, isFull, rounds, profileFolder }, say)));
    keep(rows);
  }
  report(rows, profileFolder);
  return 0;
}

/** Where CPU profiles go, where they are asked for. */
function folderOf(isProfiled: boolean): string | undefined {
  if (!isProfiled) return undefined;
  const folder = join(results, `profile-${Date.now()}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

function report(rows: readonly Row[], profileFolder: string | undefined): void {
  process.stdout.write(`${tableOf(rows)}\n`);
  if (profileFolder !== undefined) process.stdout.write(`${printProfiles(profileFolder)}\n`);
}

async function measureDistribution(nodes: number, names: readonly string[], flags: Flags): Promise<number> {
  const chosen = chooseCells(names);
  const { quick: isQuick, full, profile } = flags;
  if (full) throw new UsageError("--full goes with growth, which is measured on the embedded store");
  const rounds = wholeNumber("rounds", flags.rounds, 1, 100, isQuick ? 1 : 3);
  const keep = keeper(flags.json);
  const profileFolder = folderOf(profile);
  sayMachine();
  const effort = { isQuick, rounds, nodes, profileFolder };
  report(await distribution(chosen, effort, say, keep), profileFolder);
  return 0;
}

async function comparePeers(list: string, names: readonly string[], flags: Flags): Promise<number> {
  const [chosen, what] = [choosePeers(list), choosePeerScenarios(names, flags.trace)];
  const { quick: isQuick } = flags;
  const rounds = wholeNumber("rounds", flags.rounds, 1, 100, isQuick ? 1 : 5);
  const keep = keeper(flags.json);
  sayMachine();
  return runPeers(chosen, what, { isQuick, rounds }, say, keep);
}

async function compareRevisions(base: string, names: readonly string[], flags: Flags): Promise<number> {
  const chosen = choose(names.length === 0 ? comparedByDefault : names);
  const rounds = wholeNumber("rounds", flags.rounds, 1, 30, 5);
  const keep = keeper(flags.json);
  sayMachine();
  return compare({ base, scenarios: chosen, rounds, isQuick: flags.quick, keep }, say);
}

/** Writes the rows so far, after each scenario: a run that is interrupted has not been for nothing. */
function keeper(file: string | undefined): (rows: readonly object[]) => void {
  if (file === undefined) return () => undefined;
  const keep = (rows: readonly object[]): void => {
    try {
      writeFileSync(file, `${JSON.stringify(rows, undefined, 2)}\n`);
    } catch (error) {
      throw new UsageError(
        `--json ${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  // Before anything is measured: a file that cannot be written is refused at once.
  keep([]);
  return keep;
}

function choose(names: readonly string[]): readonly Scenario[] {
  if (names.length === 0) return scenarios.filter(({ onRequest }) => onRequest !== true);
  return names.map((name) => {
    const found = scenarios.find((scenario) => scenario.name === name);
    if (found === undefined)
      throw new UsageError(
        `unknown scenario ${JSON.stringify(shortened(name))}; there are ${scenarios.map((one) => one.name).join(", ")}`,
      );
    return found;
  });
}

function list(some: readonly Scenario[]): string {
  return some.map(({ name, meaning }) => `  ${name.padEnd(9)} ${meaning}`).join("\n");
}

function sayMachine(): void {
  say(`${machine()}, load average ${loadAverage()}`);
  if (loadAverage() > busyLoad)
    say(
      "Something else is busy on this machine: the figures will be worse than they should, the ratios too.",
    );
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

const args = process.argv.slice(2);
await runCommand("bench", () => (args[0] === "counts" ? counts(args.slice(1)) : bench(args)));
