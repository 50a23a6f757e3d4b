import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { run } from "node:test";
import { dot, spec, type TestEvent } from "node:test/reporters";
import { root } from "../root.ts";

/** Some test files and how they are run; phases run one after another. */
export interface Phase {
  readonly files: readonly string[];
  readonly concurrency: number;
  /** A file that has not ended after this has failed. */
  readonly timeoutMs: number;
}

/** Runs the phases as one suite with one report and one summary at its end. True where nothing failed. */
export async function runSuite(
  phases: readonly Phase[],
  reporter: "spec" | "dot" = "spec",
): Promise<boolean> {
  const totals = new Map<string, number>();
  const report = Readable.from(events(phases, totals)).compose(reporter === "spec" ? new spec() : dot);
  for await (const chunk of report) process.stdout.write(chunk);
  return (
    (totals.get("fail") ?? 0) === 0 && (totals.get("cancelled") ?? 0) === 0 && (totals.get("tests") ?? 0) > 0
  );
}

const summaryLine = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

/** The events of all phases; their summaries are added up and told once, after the last. */
async function* events(phases: readonly Phase[], totals: Map<string, number>): AsyncGenerator<TestEvent> {
  for (const { files, concurrency, timeoutMs } of phases) {
    if (files.length === 0) continue;
    const stream = run({
      files: files.map((file) => resolve(root, file)),
      cwd: root,
      concurrency: Math.min(concurrency, availableParallelism()),
      timeout: timeoutMs,
      isolation: "process",
    });
    for await (const event of stream as AsyncIterable<TestEvent>) {
      const [, name, value] = isSummary(event) ? (summaryLine.exec(event.data.message) ?? []) : [];
      if (name === undefined) yield event;
      else totals.set(name, (totals.get(name) ?? 0) + Number(value));
    }
  }
  for (const [name, value] of totals) yield summary(`${name} ${Math.round(value * 1000) / 1000}`);
}

type Diagnostic = Extract<TestEvent, { type: "test:diagnostic" }>;

function isSummary(event: TestEvent): event is Diagnostic {
  return event.type === "test:diagnostic" && event.data.nesting === 0 && event.data.file === undefined;
}

function summary(message: string): Diagnostic {
  return { type: "test:diagnostic", data: { message, nesting: 0, level: "info" } } as Diagnostic;
}
