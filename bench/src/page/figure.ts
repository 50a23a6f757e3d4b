/** The rows of one or more runs, as the page needs them. */
import { readFileSync } from "node:fs";
import type { Series } from "../measure/timeline.ts";
import type { Row } from "../row.ts";
import { UsageError } from "../usage.ts";

/** A row with the fields that only some scenarios give. */
export interface Figure extends Row {
  /** Absent: ours. */
  readonly system?: string;
  readonly version?: string;
  readonly durable?: boolean;
  readonly acknowledgement?: string;
  readonly of?: string;
  readonly resource?: string;
  readonly axis?: string;
  readonly measure?: string;
  readonly size?: number;
  readonly expected?: string;
  readonly asExpected?: boolean;
  readonly lastStep?: number;
  readonly series?: Series;
  readonly killedMs?: number;
  readonly listeningMs?: number;
}

/** A system that gave no figure, and why. */
export interface Absence {
  readonly scenario: string;
  readonly system: string;
  readonly missing: string;
}

export interface Figures {
  readonly rows: readonly Figure[];
  readonly absences: readonly Absence[];
}

/** Reads files that `--json` has written. Where two have the same figure of the same machine, the later one stands. */
export function readFigures(files: readonly string[]): Figures {
  const rows = new Map<string, Figure>();
  const absences: Absence[] = [];
  for (const file of files) {
    for (const item of readRows(file)) {
      if (isAbsence(item)) absences.push(item);
      else if (isFigure(item)) rows.set(`${item.machine}\n${item.scenario}\n${item.variant}`, item);
      else
        throw new UsageError(`${file} holds something that is no row: ${JSON.stringify(item).slice(0, 100)}`);
    }
  }
  if (rows.size === 0) throw new UsageError("there is not a single row in these files");
  return { rows: [...rows.values()], absences };
}

function readRows(file: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Array.isArray(value)) throw new UsageError(`${file} is no list of rows`);
  return value;
}

function isAbsence(item: unknown): item is Absence {
  return hasTexts(item, ["scenario", "system", "missing"]);
}

function isFigure(item: unknown): item is Figure {
  return hasTexts(item, ["scenario", "variant", "unit", "machine"]) && typeof item.value === "number";
}

function hasTexts(item: unknown, names: readonly string[]): item is Record<string, unknown> {
  if (typeof item !== "object" || item === null) return false;
  const fields = item as Record<string, unknown>;
  return names.every((name) => typeof fields[name] === "string");
}

/** What a row is measured of, ours by its transport. */
export function systemOf({ system, transport }: Figure): string {
  return system ?? (transport === undefined ? "hongyan" : `hongyan ${transport}`);
}

export function isOurs(row: Figure): boolean {
  return systemOf(row).startsWith("hongyan");
}

/** Whether a message is on disk when it is acknowledged: ours always. */
export function isDurable({ durable }: Figure): boolean {
  return durable ?? true;
}

/** Made by a run that shows that everything works, and not how fast it is. */
export function isQuick({ command }: Figure): boolean {
  return / --quick\b/.test(command ?? "");
}
