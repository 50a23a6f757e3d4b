/** Runs seeds in a thread of its own. */
import { parentPort } from "node:worker_threads";
import { everything } from "./plan/mask.ts";
import { simulate } from "./simulate.ts";

export interface WorkerTask {
  readonly first: number;
  readonly count: number;
  readonly plant: string | undefined;
  readonly nodes: number | undefined;
  readonly keepGoing: boolean;
}

/** Said before every seed: a world that never ends cannot say so itself. */
export interface WorkerBegin {
  readonly seed: number;
}

export interface WorkerAnswer {
  readonly seeds: number;
  readonly steps: number;
  readonly messages: number;
  readonly virtualMs: number;
  readonly failed: readonly number[];
}

parentPort?.on("message", async ({ first, count, plant, nodes, keepGoing }: WorkerTask) => {
  const answer = { seeds: 0, steps: 0, messages: 0, virtualMs: 0, failed: [] as number[] };
  for (let seed = first; seed < first + count; seed++) {
    parentPort?.postMessage({ seed } satisfies WorkerBegin);
    const { steps, messages, durationMs, objection } = await simulate(seed, {
      plant,
      mask: { ...everything, nodes },
    });
    answer.seeds++;
    answer.steps += steps;
    answer.messages += messages;
    answer.virtualMs += durationMs;
    if (objection === undefined) continue;
    answer.failed.push(seed);
    if (!keepGoing) break;
  }
  parentPort?.postMessage(answer satisfies WorkerAnswer);
});
