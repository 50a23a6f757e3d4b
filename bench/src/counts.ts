/** `npm run bench -- counts [--write]`: what a message costs in units that are the same on every machine. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Counted, compareCounts, type Expected, expectedOf, tolerances } from "./counts/expected.ts";
import { measureCounts } from "./counts/measure.ts";
import { alignedTable } from "./table.ts";
import { readArguments, shortened, UsageError } from "./usage.ts";

const file = fileURLToPath(new URL("../results/counts.json", import.meta.url));

const help = `Usage: npm run bench -- counts [--write]

Counts what a message costs that reaches its reader: bytes and frames on the wire, system calls, commits, bytes
written to disk, bytes allocated. They do not depend on how fast or how busy the machine is. Compares them with
bench/results/counts.json; exit code 1 where one has risen by more than its tolerance. Takes a few seconds; part of
npm run check.

  --write   write what was counted to the file
  --help    this text
`;

export async function counts(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, {
    write: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (positionals.length > 0) throw new UsageError(`counts takes no ${shortened(positionals.join(" "))}`);
  if (process.platform !== "linux") throw new UsageError("counts are read from /proc, which only Linux has");
  const expected = values.write ? undefined : readExpected();
  const counted = await measureCounts();
  process.stdout.write(`${tableOf(counted)}\n`);
  const { node } = process.versions;
  if (expected === undefined) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(expectedOf(counted, node), undefined, 2)}\n`);
    process.stdout.write(`written to bench/results/counts.json\n`);
    return 0;
  }
  const { risen, notes } = compareCounts(expected, counted, node);
  for (const note of notes) process.stdout.write(`note: ${note}\n`);
  for (const line of risen) process.stderr.write(`${line}\n`);
  if (risen.length + notes.length > 0)
    process.stdout.write(
      `${risen.length > 0 ? "Where that is meant" : "To hold the counts to this"}: npm run bench -- counts --write\n`,
    );
  return risen.length === 0 ? 0 : 1;
}

function readExpected(): Expected {
  if (!existsSync(file))
    throw new UsageError("bench/results/counts.json is missing: npm run bench -- counts --write");
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Expected;
  } catch (error) {
    throw new UsageError(
      `bench/results/counts.json cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function tableOf(counted: readonly Counted[]): string {
  const names = Object.keys(tolerances) as (keyof typeof tolerances)[];
  const rows = counted.map(({ load, values }) => [
    load,
    ...names.map((name) => `${Number(values[name].toPrecision(4))}`),
  ]);
  return alignedTable(["per message that reached its reader", ...names], rows, [0]);
}
