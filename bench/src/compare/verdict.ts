/**
 * When a figure counts as changed. All three must hold:
 * - the medians differ by more than 3 %, which is what nobody would act on;
 * - they differ by more than the noise: half the distance between the quartiles, of the side where it is larger;
 * - chance would order the runs so in at most 1 of 20 cases (Mann-Whitney, two-sided). With 5 rounds that means that
 *   of the 25 pairs of a base and a head run at most 2 are the other way round: one run that something else has
 *   disturbed does not hide a change. With 3 or fewer rounds it cannot be shown at all.
 * Where only the third fails, the answer is neither "same" nor "slower" but that it takes more rounds.
 *
 * In 1 of 60 cases a figure that has not changed is so called worse: what surprises is run again.
 */
import { median, quartileDistance } from "../measure/statistics.ts";
import { rankTest } from "./rank-test.ts";

const changeMin = 0.03;
const chanceMax = 0.05;

export type Verdict = "worse" | "better" | "same" | "unclear";

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
  return { ...figures, verdict: verdictOf(figures, better) };
}

function verdictOf(
  { change, baseNoise, headNoise, chance }: Omit<Judgement, "verdict">,
  better: "more" | "less",
): Verdict {
  if (!(Math.abs(change) > Math.max(changeMin, baseNoise, headNoise))) return "same";
  if (chance > chanceMax) return "unclear";
  return change > 0 === (better === "more") ? "better" : "worse";
}
