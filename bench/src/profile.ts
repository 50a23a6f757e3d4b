/** CPU profiles that `node --cpu-prof` writes: in which functions the time went. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}
interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface FunctionTime {
  /** `name file:line`. */
  readonly where: string;
  readonly ms: number;
  /** Share of all time that was not idle. */
  readonly share: number;
}

/** The functions in which most time was spent, not counting what they called. */
export function topFunctions(file: string, count: number): FunctionTime[] {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8")) as Profile;
  const byId = new Map(nodes.map((node) => [node.id, nameOf(node)]));
  const timeOf = new Map<string, number>();
  samples.forEach((id, at) => {
    const name = byId.get(id) ?? "?";
    if (name !== "(idle)")
      timeOf.set(name, (timeOf.get(name) ?? 0) + Math.max(0, timeDeltas[at] ?? 0) / 1000);
  });
  const total = [...timeOf.values()].reduce((sum, ms) => sum + ms, 0);
  return [...timeOf]
    .map(([where, ms]) => ({ where, ms, share: ms / total }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, count);
}

function nameOf({ callFrame }: ProfileNode): string {
  const { functionName, url, lineNumber } = callFrame;
  if (functionName.startsWith("(")) return functionName;
  const place = url.replace(/^file:\/\/.*?\/(packages|node_modules|bench)\//, "$1/");
  return `${functionName || "(anonymous)"} ${place === "" ? "(native)" : `${place}:${lineNumber + 1}`}`;
}

/** The profiles in a folder, oldest first. */
export function profilesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".cpuprofile"))
    .sort()
    .map((name) => join(folder, name));
}

export function printProfiles(folder: string): string {
  const lines: string[] = [];
  for (const file of profilesIn(folder)) {
    lines.push("", file);
    for (const { where, ms, share } of topFunctions(file, 25)) {
      lines.push(`  ${(share * 100).toFixed(1).padStart(5)} %  ${ms.toFixed(0).padStart(7)} ms  ${where}`);
    }
  }
  return lines.join("\n");
}
