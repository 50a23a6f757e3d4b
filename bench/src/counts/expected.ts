/** What the counts were when somebody last looked at them, and what has become of them. */

/** Names of counts, each with the share by which it may differ before it counts as a change. */
export const tolerances = {
  "bytes on the wire": 0.005,
  "frames on the wire": 0.005,
  "read calls": 0.02,
  "write calls": 0.02,
  commits: 0.02,
  "bytes written to disk": 0.02,
  "bytes allocated on the heap": 0.02,
} as const;

export type CountName = keyof typeof tolerances;
const names = Object.keys(tolerances) as CountName[];

/** What was counted for each message that reached its reader. */
export interface Counted {
  /** `direct, tcp, 32 in flight` */
  readonly load: string;
  readonly values: Readonly<Record<CountName, number>>;
}

export interface Expectation {
  readonly value: number;
  readonly tolerance: number;
}

/** The file `bench/results/counts.json`. */
export interface Expected {
  /** Another Node allocates and calls differently. */
  readonly node: string;
  readonly loads: Readonly<Record<string, Readonly<Record<string, Expectation>>>>;
}

export interface Findings {
  /** What costs more than it did: the check fails. */
  readonly risen: readonly string[];
  /** What costs less, or is new: the file should be written anew. */
  readonly notes: readonly string[];
}

/** Counts that differ between versions of Node. */
const dependsOnNode: ReadonlySet<CountName> = new Set([
  "read calls",
  "write calls",
  "bytes allocated on the heap",
]);

export function compareCounts(expected: Expected, counted: readonly Counted[], node: string): Findings {
  const risen: string[] = [];
  const notes: string[] = [];
  if (expected.node !== node)
    notes.push(
      `${[...dependsOnNode].join(", ")}: not compared, written with Node ${expected.node}, counted with ${node}`,
    );
  for (const { load, values } of counted) {
    for (const name of names) {
      if (expected.node !== node && dependsOnNode.has(name)) continue;
      const before = expected.loads[load]?.[name];
      const value = values[name];
      if (!Number.isFinite(value)) risen.push(`${load}: ${name} could not be counted`);
      else if (before === undefined) notes.push(`${load}: ${name} per message is new: ${digits(value)}`);
      else if (value > before.value * (1 + before.tolerance))
        risen.push(sentence(load, name, "rose", before, value));
      else if (value < before.value * (1 - before.tolerance))
        notes.push(sentence(load, name, "fell", before, value));
    }
  }
  return { risen, notes };
}

function sentence(
  load: string,
  name: CountName,
  verb: "rose" | "fell",
  { value: before, tolerance }: Expectation,
  value: number,
): string {
  const change = before === 0 ? "there was none" : `${((value / before - 1) * 100).toFixed(1)} %`;
  return `${load}: ${name} per message ${verb} from ${digits(before)} to ${digits(value)} (${change}; up to ${tolerance * 100} % is no change)`;
}

export function expectedOf(counted: readonly Counted[], node: string): Expected {
  const loads = counted.map(({ load, values }) => [
    load,
    Object.fromEntries(
      names.map((name) => [name, { value: Number(digits(values[name])), tolerance: tolerances[name] }]),
    ),
  ]);
  return { node, loads: Object.fromEntries(loads) };
}

/** Enough digits for the smallest tolerance. */
function digits(value: number): string {
  return `${Number(value.toPrecision(5))}`;
}
