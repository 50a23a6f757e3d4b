/**
 * When a figure counts as changed. All three must hold:
 * - the medians differ by more than 3 %, which is what nobody would act on;
 * - they differ by more than the noise: half the distance between the quartiles, of the side where it is larger;
 * - chance would order the runs so in at most 1 of 100 cases (Mann-Whitney, two-sided). With 5 rounds that means that
 *   every run of one side lies beyond every run of the other; with 4 or fewer it cannot be shown at all.
 *
 * Of ten figures that have not changed, about one comparison in twenty so still calls one of them worse: run it again.
 */
import { median, quartileDistance } from "../measure/statistics.ts";
import { rankTest, smallestP } from "./rank-test.ts";

const changeMin = 0.03;
const chanceMax = 0.01;

export type Verdict = "worse" | "better" | "same" | "too few rounds";

export interface Judgement {
  readonly base: number;
  readonly head: number;
  /** (head − base) / base. */
  readonly change: number;
  /** Half the distance between the quartiles / median. */
  readonly baseNoise: number;
  readonly headNoise: number;
  /** How often chance alone would order the runs so. */
  readonly chance: number;
  readonly verdict: Verdict;
}

export function judge(base: readonly number[], head: readonly number[], better: "more" | "less"): Judgement {
  const [baseMedian, headMedian] = [median(base), median(head)];
  const figures = {
    base: baseMedian,
    head: headMedian,
    change: (headMedian - baseMedian) / baseMedian,
    baseNoise: quartileDistance(base) / 2 / baseMedian,
    headNoise: quartileDistance(head) / 2 / headMedian,
    chance: rankTest(base, head),
  };
  return { ...figures, verdict: verdictOf(figures, Math.min(base.length, head.length), better) };
}

function verdictOf(
  { change, baseNoise, headNoise, chance }: Omit<Judgement, "verdict">,
  rounds: number,
  better: "more" | "less",
): Verdict {
  if (!(Math.abs(change) > Math.max(changeMin, baseNoise, headNoise))) return "same";
  if (smallestP(rounds) > chanceMax) return "too few rounds";
  if (chance > chanceMax) return "same";
  return change > 0 === (better === "more") ? "better" : "worse";
}
