/**
 * `npm run bench -- --compare BASE`: the servers of two revisions in turns, base head head base …, so that whatever
 * changes on the machine meanwhile meets both. One load generator, this checkout's own, measures them, and one Node
 * runs them: a change of the bench does not count as a change of the server.
 */
import { type ComparedRow, compareRounds, comparisonTable } from "./compare/report.ts";
import { headTitle, revisionOf } from "./compare/revision.ts";
import { Worktree } from "./compare/worktree.ts";
import { Server } from "./process/server.ts";
import { measureTree, ownTree } from "./process/tree.ts";
import type { Row } from "./row.ts";
import type { Scenario } from "./scenario/scenario.ts";

export interface CompareOptions {
  readonly base: string;
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  readonly isQuick: boolean;
  /** Is given everything that was compared so far. */
  readonly keep: (rows: readonly ComparedRow[]) => void;
}

/** Exit code 1 where a figure became worse. */
export async function compare(options: CompareOptions, say: (line: string) => void): Promise<number> {
  const revision = revisionOf(options.base);
  say(`compare: base ${revision.title}`);
  say(`compare: head ${headTitle()}`);
  const worktree = new Worktree(revision);
  try {
    await worktree.makeReady(revision, say);
    const trees = { base: worktree.path, head: ownTree };
    // Compiled code is kept from the first start of a checkout on.
    for (const tree of Object.values(trees)) await startOnce(tree);
    const compared: ComparedRow[] = [];
    for (const scenario of options.scenarios) {
      compared.push(...(await compareScenario(scenario, trees, options, say)));
      options.keep(compared);
    }
    process.stdout.write(`${comparisonTable(compared)}\n`);
    return compared.some(({ verdict }) => verdict === "worse") ? 1 : 0;
  } finally {
    measureTree(ownTree);
    worktree.remove();
  }
}

type Side = "base" | "head";

async function compareScenario(
  scenario: Scenario,
  trees: Readonly<Record<Side, string>>,
  { rounds, isQuick }: CompareOptions,
  say: (line: string) => void,
): Promise<ComparedRow[]> {
  const runs = { base: [] as Row[][], head: [] as Row[][] };
  for (let round = 0; round < rounds; round++) {
    const order: readonly Side[] = round % 2 === 0 ? ["base", "head"] : ["head", "base"];
    for (const side of order) {
      say(`compare ${round + 1}/${rounds}: ${side}`);
      measureTree(trees[side]);
      const effort = { isQuick, rounds: 1, skipsProbes: true };
      runs[side].push(await scenario.run(effort, (line) => say(`  ${line}`)));
    }
  }
  return compareRounds(runs);
}

async function startOnce(tree: string): Promise<void> {
  measureTree(tree);
  const server = new Server();
  try {
    await server.start();
    await server.stop();
  } finally {
    await server.remove();
  }
}
