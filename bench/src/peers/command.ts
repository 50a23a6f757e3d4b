/** `npm run bench -- --peers[=LIST] [SCENARIO …]` */
import type { Row } from "../row.ts";
import { tableOf } from "../table.ts";
import { readTrace } from "../trace.ts";
import { UsageError } from "../usage.ts";
import { type ComparisonEffort, compare, type Figures } from "./comparison.ts";
import { peers } from "./peers.ts";
import type { Absence } from "./sample.ts";
import { backlog } from "./scenario/backlog.ts";
import { direct } from "./scenario/direct.ts";
import { fanout } from "./scenario/fanout.ts";
import { idle } from "./scenario/idle.ts";
import type { PeerScenario } from "./scenario/scenario.ts";
import { storm } from "./scenario/storm.ts";
import { traceScenario } from "./scenario/trace.ts";
import type { Peer } from "./system/system.ts";

const scenarios: readonly PeerScenario[] = [direct, fanout, idle, backlog, storm];
const traceName = "trace";

export const peerNames = peers.map(({ name }) => name);
export const peerScenarioNames = [...scenarios.map(({ name }) => name), traceName];

/** The peers of a list; ours is always one of them. Throws `UsageError`. */
export function choosePeers(list: string): readonly Peer[] {
  if (list === "") return peers;
  const wanted = list.split(",").map((name) => name.trim());
  const unknown = wanted.find((name) => !peerNames.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`unknown peer ${JSON.stringify(unknown)}; there are ${peerNames.join(", ")}`);
  return peers.filter(({ name }) => name === "hongyan" || wanted.includes(name));
}

/** The scenarios of these names, or all of them; the trace is a file's or made up. Throws `UsageError`. */
export function choosePeerScenarios(
  names: readonly string[],
  traceFile: string | undefined,
): readonly PeerScenario[] {
  const all = [...scenarios, traceScenario(traceFile)];
  // Read once, to refuse what is no trace before anything is measured.
  if (traceFile !== undefined) readTrace(traceFile);
  if (names.length === 0) return all;
  return names.map((name) => {
    const found = all.find((scenario) => scenario.name === name);
    if (found === undefined)
      throw new UsageError(
        `scenario ${JSON.stringify(name)} is none that is compared with peers; there are ${peerScenarioNames.join(", ")}`,
      );
    return found;
  });
}

/** Compares and prints; `write` keeps what there is after each scenario. Exit code 1 where nothing was measured. */
export async function runPeers(
  chosen: readonly Peer[],
  what: readonly PeerScenario[],
  effort: ComparisonEffort,
  say: (line: string) => void,
  write: (rows: readonly (Row | Absence)[]) => void,
): Promise<number> {
  const figures = await compare(chosen, what, effort, say, ({ rows, absences }) =>
    write([...rows, ...absences]),
  );
  process.stdout.write(`${text(figures)}\n`);
  return figures.rows.length === 0 ? 1 : 0;
}

function text({ rows, absences }: Figures): string {
  const missing = absences.map(({ scenario, system, missing }) => `${scenario} ${system}: ${missing}`);
  // Once for each system and not in each note: the sentences are long.
  const meanings = new Set(
    rows.map(({ system, version, acknowledgement }) => `${system} (${version}): ${acknowledgement}`),
  );
  return [
    tableOf(rows),
    "",
    "What acknowledgements mean:",
    ...meanings,
    ...(missing.length === 0 ? [] : ["", "No figure:", ...missing]),
  ].join("\n");
}
