/**
 * The Mann-Whitney U test, exact: how often chance alone would put the values of two samples so far out of order,
 * whatever their distribution. Figures of a benchmark are few and skewed; a test on means would need them otherwise.
 */

/** Two-sided p of the null hypothesis that both samples come from the same source. 1 of nothing. */
export function rankTest(one: readonly number[], other: readonly number[]): number {
  if (one.length === 0 || other.length === 0) return 1;
  const ranks = doubledRanks([...one, ...other]);
  const sum = ranks.slice(0, one.length).reduce((total, rank) => total + rank, 0);
  const ways = waysToSum(ranks, one.length);
  const middle = one.length * (one.length + other.length + 1);
  const distance = Math.abs(sum - middle);
  let all = 0;
  let asFar = 0;
  ways.forEach((count, at) => {
    all += count;
    if (Math.abs(at - middle) >= distance) asFar += count;
  });
  return asFar / all;
}

/** Twice the rank of each value; equal ones share the mean of theirs. Doubled, so that they stay whole. */
function doubledRanks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return 2 * below + equal + 1;
  });
}

/** In how many ways `count` of the ranks add up to each sum. */
function waysToSum(ranks: readonly number[], count: number): Float64Array {
  const sumMax = ranks.reduce((total, rank) => total + rank, 0);
  const ways = Array.from({ length: count + 1 }, () => new Float64Array(sumMax + 1));
  (ways[0] as Float64Array)[0] = 1;
  for (const rank of ranks) {
    for (let chosen = count; chosen > 0; chosen--) {
      const into = ways[chosen] as Float64Array;
      const from = ways[chosen - 1] as Float64Array;
      for (let sum = sumMax; sum >= rank; sum--)
        into[sum] = (into[sum] as number) + (from[sum - rank] as number);
    }
  }
  return ways[count] as Float64Array;
}
