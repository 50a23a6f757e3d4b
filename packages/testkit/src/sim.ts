/**
 * `npm run sim`: worlds from seeds. Exit code 1 when a checker objects, 2 when the command line is wrong.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { readArguments, shortened, UsageError } from "./arguments.ts";
import { everything, type Mask, parseRanges, parseWithout } from "./plan/mask.ts";
import { plantNamed, plantNames } from "./plants/plants.ts";
import { reproduction, shrink, stepsOf } from "./shrink.ts";
import type { WorkerAnswer, WorkerBegin, WorkerTask } from "./sim-worker.ts";
import { type RunResult, simulate } from "./simulate.ts";

/** A seed takes a tenth of a second; one that takes so long does not end. */
const seedMsMax = 120_000;

const usage = `npm run sim -- --seeds N [--first S] | --seed S | --list-plants
  --seeds N         runs N seeds, from 1 or from --first
  --seed S          runs one seed
  --nodes N         with N servers on one store (1 to 9), in every seed
  --plant NAME      with a bug on purpose; --list-plants names them
  --keep-going      does not stop at the first failing seed
  --json            prints the result as JSON
  --trace           prints every frame and action (with --seed)
 a smaller run, as a reproduction line has it:
  --steps K         stops after K steps
  --actions LIST    only these actions of the plan (0-3,7 or none)
  --devices LIST    only these devices
  --without LIST    without datagram, drop, duplicate, hold, latency`;

interface Failure {
  readonly seed: number;
  readonly guarantee: string;
  readonly objection: string;
  readonly reproduce: string;
}

interface Summary {
  readonly seeds: number;
  readonly steps: number;
  readonly messages: number;
  readonly virtualMs: number;
  readonly elapsedMs: number;
  readonly failures: readonly Failure[];
}

function readOptions(args: readonly string[]) {
  const { values, positionals } = readArguments(args, {
    seeds: { type: "string" },
    first: { type: "string", default: "1" },
    seed: { type: "string" },
    nodes: { type: "string" },
    plant: { type: "string" },
    steps: { type: "string" },
    actions: { type: "string" },
    devices: { type: "string" },
    without: { type: "string", default: "" },
    "list-plants": { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  });
  if (positionals.length > 0)
    throw new UsageError(`unexpected argument ${JSON.stringify(shortened(positionals.join(" ")))}`);
  if (values.plant !== undefined) plantNamed(values.plant);
  const mask: Mask = {
    actions: values.actions === undefined ? undefined : parseRanges(values.actions),
    devices: values.devices === undefined ? undefined : parseRanges(values.devices),
    without: parseWithout(values.without),
    nodes: values.nodes === undefined ? undefined : nodeCount(values.nodes),
    steps: values.steps === undefined ? undefined : wholeNumber("--steps", values.steps),
  };
  return {
    ...values,
    mask,
    seed: values.seed === undefined ? undefined : wholeNumber("--seed", values.seed),
    seeds: values.seeds === undefined ? undefined : seedCount(values.seeds),
    first: wholeNumber("--first", values.first),
  };
}

type Arguments = ReturnType<typeof readOptions>;

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`${name} wants a whole number, not ${shortened(text)}`);
  return Number(text);
}

/** A run of no seeds would pass, and prove nothing. */
function seedCount(text: string): number {
  const count = wholeNumber("--seeds", text);
  if (count === 0) throw new Error("--seeds wants at least 1");
  return count;
}

function nodeCount(text: string): number {
  if (!/^[1-9]$/.test(text)) throw new Error(`--nodes wants 1 to 9, not ${shortened(text)}`);
  return Number(text);
}

async function runOne(seed: number, { plant, mask, trace }: Arguments): Promise<Summary> {
  const startedAt = performance.now();
  const result = await simulate(seed, {
    plant,
    mask,
    trace: trace ? (line) => console.log(line) : undefined,
  });
  const isWhole =
    mask.actions === undefined &&
    mask.devices === undefined &&
    mask.without.size === 0 &&
    mask.steps === undefined;
  const failures =
    result.objection === undefined
      ? []
      : [await explain(result, plant, mask.nodes, isWhole ? undefined : mask)];
  const { steps, messages, durationMs } = result;
  return {
    seeds: 1,
    steps,
    messages,
    virtualMs: durationMs,
    elapsedMs: performance.now() - startedAt,
    failures,
  };
}

/** Makes the failure small, unless it was asked for in exactly this shape. */
async function explain(
  result: RunResult,
  plant: string | undefined,
  nodes: number | undefined,
  mask: Mask | undefined,
): Promise<Failure> {
  const small = mask === undefined ? await shrink(result, plant, nodes) : { mask, result };
  return {
    seed: result.seed,
    guarantee: small.result.objection?.guarantee ?? "",
    objection: small.result.objection?.text ?? "",
    reproduce: reproduction(result.seed, plant, small.mask),
  };
}

/** Spreads the seeds over threads; each asks for the next few when it is done. */
async function runMany(
  first: number,
  count: number,
  { plant, mask: { nodes }, "keep-going": keepGoing }: Arguments,
): Promise<Summary> {
  const startedAt = performance.now();
  const total = { seeds: 0, steps: 0, messages: 0, virtualMs: 0 };
  const failed: number[] = [];
  let next = first;
  let nextReportAt = startedAt + 5_000;
  const piece = Math.max(1, Math.min(20, Math.floor(count / 8)));
  const take = (): WorkerTask | undefined => {
    if (next >= first + count || (failed.length > 0 && !keepGoing)) return undefined;
    const task = { first: next, count: Math.min(piece, first + count - next), plant, nodes, keepGoing };
    next += task.count;
    return task;
  };
  await Promise.all(
    Array.from({ length: Math.min(availableParallelism(), 4, Math.ceil(count / piece)) }, async () => {
      const worker = new Worker(new URL("./sim-worker.ts", import.meta.url));
      for (let task = take(); task !== undefined; task = take()) {
        const answer = await ask(worker, task);
        for (const key of ["seeds", "steps", "messages", "virtualMs"] as const) total[key] += answer[key];
        failed.push(...answer.failed);
        if (performance.now() < nextReportAt) continue;
        nextReportAt = performance.now() + 5_000;
        console.error(`${total.seeds} of ${count} seeds, ${total.steps} steps, ${failed.length} failed`);
      }
      await worker.terminate();
    }),
  );
  failed.sort((one, other) => one - other);
  const failures: Failure[] = [];
  for (const seed of keepGoing ? failed : failed.slice(0, 1)) {
    const result = await simulate(seed, { plant, mask: { ...everything, nodes } });
    if (result.objection === undefined) {
      throw new Error(`seed ${seed} failed in a worker and not here: the world is not deterministic`);
    }
    // Making small takes a while: once is enough.
    const isFirst = failures.length === 0;
    failures.push(
      await explain(
        result,
        plant,
        nodes,
        isFirst ? undefined : { ...everything, nodes, steps: stepsOf(result) },
      ),
    );
  }
  return { ...total, elapsedMs: performance.now() - startedAt, failures };
}

/** Rejects where a seed takes longer than any seed does: something in it turns round for ever. */
function ask(worker: Worker, task: WorkerTask): Promise<WorkerAnswer> {
  return new Promise((resolve, reject) => {
    let seed = task.first;
    const overdue = setTimeout(() => {
      end();
      void worker.terminate();
      reject(
        new Error(
          `a world does not end: ${reproduction(seed, task.plant, { ...everything, nodes: task.nodes })}`,
        ),
      );
    }, seedMsMax);
    const end = (): void => {
      clearTimeout(overdue);
      worker.off("message", receive).off("error", reject);
    };
    const receive = (message: WorkerAnswer | WorkerBegin): void => {
      if ("seed" in message) {
        seed = message.seed;
        overdue.refresh();
        return;
      }
      end();
      resolve(message);
    };
    worker.on("message", receive).on("error", reject);
    worker.postMessage(task);
  });
}

function print(summary: Summary, isJson: boolean): void {
  if (isJson) return console.log(JSON.stringify(summary));
  const { seeds, steps, messages, virtualMs, elapsedMs, failures } = summary;
  const hours = (virtualMs / 3_600_000).toFixed(2);
  const outcome = failures.length === 0 ? "passed" : `run, ${failures.length} failed`;
  console.log(
    `${counted(seeds, "seed")} ${outcome}, ${counted(steps, "step")}, ${counted(messages, "message")}, ${hours} simulated hours in ${(elapsedMs / 1000).toFixed(1)} s`,
  );
  for (const { seed, guarantee, objection, reproduce } of failures) {
    console.log(`seed ${seed}: ${guarantee}: ${objection}`);
    console.log(reproduce);
  }
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}

async function main(): Promise<number> {
  let values: Arguments;
  try {
    values = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (values["list-plants"]) {
    for (const name of plantNames) console.log(name);
    return 0;
  }
  if (values.help || (values.seed === undefined && values.seeds === undefined)) {
    console.log(usage);
    return values.help ? 0 : 2;
  }
  const summary =
    values.seed !== undefined
      ? await runOne(values.seed, values)
      : await runMany(values.first, values.seeds ?? 0, values);
  print(summary, values.json);
  return summary.failures.length > 0 ? 1 : 0;
}

process.exitCode = await main();
