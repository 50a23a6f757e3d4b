/** Lines through measured points, by least squares. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly slope: number;
  /** The value at x = 0. */
  readonly intercept: number;
}

/** The line through points; throws for fewer than two different x. */
export function lineOf(points: readonly Point[]): Line {
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  let covariance = 0;
  let variance = 0;
  for (const { x, y } of points) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
  }
  if (!(variance > 0)) throw new Error("a line needs points at two places at least");
  const slope = covariance / variance;
  return { slope, intercept: meanY - slope * meanX };
}

/** y ≈ factor · x^exponent: the line through the points on axes that are both logarithmic. All values above 0. */
export function powerOf(points: readonly Point[]): { exponent: number; factor: number } {
  const { slope, intercept } = lineOf(points.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) })));
  return { exponent: slope, factor: Math.exp(intercept) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
