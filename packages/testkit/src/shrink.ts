import { weathers } from "./network/conditions.ts";
import type { Mask } from "./plan/mask.ts";
import { everything, maskArguments } from "./plan/mask.ts";
import { type RunResult, simulate } from "./simulate.ts";

/** Time that a failing seed may cost to be made small. */
const shrinkMsMax = 20_000;

/** The one line that shows the failure again. */
export function reproduction(seed: number, plant: string | undefined, mask: Mask): string {
  const words = ["npm run sim --", "--seed", String(seed)];
  if (plant !== undefined) words.push("--plant", plant);
  return [...words, ...maskArguments(mask)].join(" ");
}

/**
 * The steps of a run that ends with its objection. Where that came from the look at the end, there is nothing to cut:
 * a run that is told to stop at its last step never looks.
 */
export function stepsOf({ steps, inTheEnd }: RunResult): number | undefined {
  return inTheEnd ? undefined : steps;
}

/**
 * Leaves out what the failure does not need: actions (halves, quarters, … single ones), devices, weather; and stops
 * at the step of the objection, unless that is the look at the end. An objection of the same shape counts as the same failure.
 */
export async function shrink(
  result: RunResult,
  plant: string | undefined,
  nodes?: number | undefined,
): Promise<{ mask: Mask; result: RunResult }> {
  const { seed, plan } = result;
  const shape = shapeOf(result);
  const deadline = performance.now() + shrinkMsMax;
  let best: { mask: Mask; result: RunResult } = { mask: { ...everything, nodes }, result };
  const fits = async (mask: Mask): Promise<boolean> => {
    if (performance.now() > deadline) return false;
    const attempt = await simulate(seed, { plant, mask });
    if (shapeOf(attempt) !== shape) return false;
    best = { mask, result: attempt };
    return true;
  };
  await shrinkList(indexes(plan.actionsDrawn), (actions) => fits({ ...best.mask, actions }));
  await shrinkList(indexes(plan.devices.length), (devices) => fits({ ...best.mask, devices }));
  for (const weather of weathers)
    await fits({ ...best.mask, without: new Set([...best.mask.without, weather]) });
  return { ...best, mask: { ...best.mask, steps: stepsOf(best.result) } };
}

/** What an objection says, without names and numbers: so that another bug is not taken for this one. */
function shapeOf({ objection }: RunResult): string | undefined {
  if (objection === undefined) return undefined;
  const words = objection.text
    .split(/\s+/)
    .filter((word) => /^[a-z]+[,;:.]?$/.test(word) && !names.has(word));
  return `${objection.guarantee} ${words.slice(0, 12).join(" ")}`;
}

const names = new Set(["alice", "bob", "carol", "dave", "team:", "side:", "team", "side"]);

/** Delta debugging: removes ever smaller pieces as long as `fits`. */
async function shrinkList(
  all: readonly number[],
  fits: (kept: readonly number[]) => Promise<boolean>,
): Promise<void> {
  let kept = all;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < kept.length; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (fewer.length < kept.length && (await fits(fewer))) kept = fewer;
      else at += size;
    }
  }
}

function indexes(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
