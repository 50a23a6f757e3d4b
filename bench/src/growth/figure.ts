/**
 * One cost, measured at several sizes of one thing. Each size becomes a row, and the slope of all of them another:
 * the exponent b of cost ≈ a · size^b is 0 where the cost is constant, and 1 where it grows with the size.
 */
import { powerOf } from "../measure/fit.ts";
import { median } from "../measure/statistics.ts";
import { type Row, rowOf } from "../row.ts";

export type Expected = "constant" | "linear";

interface Measured {
  /** What becomes more: `messages stored`. */
  readonly axis: string;
  /** What it costs: `append`. */
  readonly measure: string;
  /** `ms`, or what begins with `µs`. */
  readonly unit: string;
  readonly note: string;
  /** Sizes below this are shown, but not part of the slope: there something else is what is measured. */
  readonly slopeFrom?: number;
}

/** A cost that may grow says why. */
export type About = Measured &
  (
    | { readonly expected: "constant"; readonly why?: never }
    | { readonly expected: "linear"; readonly why: string }
  );

/** How far above what is expected the exponent over all sizes may be. */
export const exponentTolerance = 0.1;
/**
 * The same for the last step alone, from the second largest size to the largest. A cost of a + b · size looks almost
 * constant over many sizes in which a is the larger part; the last step shows b. Two points lie further apart by
 * chance than a line through all of them: 0.25 is a factor of 1.8 where the size is ten times as large.
 */
export const lastStepTolerance = 0.25;

export class Figure {
  readonly about: About;
  readonly #bySize = new Map<number, number[]>();

  constructor(about: About) {
    this.about = about;
  }

  /** One more measurement at this size. */
  add(size: number, value: number): void {
    const values = this.#bySize.get(size) ?? [];
    this.#bySize.set(size, values);
    values.push(value);
  }

  rows(): Row[] {
    const sizes = [...this.#bySize].sort(([one], [other]) => one - other);
    const fitted = sizes.filter(([size]) => size >= (this.about.slopeFrom ?? 0));
    const hasSlope = fitted.length >= 2;
    const rows = sizes.map(([size, values]) => this.#sizeRow(size, values, hasSlope ? "" : this.about.note));
    return hasSlope ? [...rows, this.#slopeRow(fitted)] : rows;
  }

  #sizeRow(size: number, values: readonly number[], note: string): Row {
    const { axis, measure, unit } = this.about;
    return rowOf({
      scenario: "growth",
      variant: `${measure}, ${size.toLocaleString("en")} ${axis}`,
      unit,
      better: "less",
      values,
      axis,
      measure,
      size,
      note,
    });
  }

  /** The exponent of the medians; its spread is 0, and its runs are the sizes. */
  #slopeRow(sizes: readonly (readonly [number, readonly number[]])[]): Row {
    const { axis, measure, expected } = this.about;
    const points = sizes.map(([x, values]) => ({ x, y: Math.max(median(values), Number.MIN_VALUE) }));
    const { exponent, factor } = powerOf(points);
    const lastStep = powerOf(points.slice(-2)).exponent;
    const isFine = isAsExpected(exponent, lastStep, expected);
    const [first, last] = [points[0], points.at(-1)];
    const times = (last?.y ?? 0) / (first?.y ?? 1);
    return {
      ...rowOf({
        scenario: "growth",
        variant: `${measure}, slope over ${axis}`,
        unit: "exponent",
        better: "less",
        values: [exponent],
        axis,
        measure,
        factor,
        lastStep: Math.round(lastStep * 1000) / 1000,
        expected,
        asExpected: isFine,
        note: `${this.#note(points)}; expected ${expected}: ${isFine ? "yes" : "NO, IT GROWS"}; exponent of the last step ${lastStep.toFixed(2)}; ${last?.x.toLocaleString("en")} cost ${Number(times.toPrecision(3))} times what ${first?.x.toLocaleString("en")} cost`,
      }),
      ...rounded(exponent),
      runs: sizes.length,
    };
  }

  /** Of a cost that may grow: why, and what one more costs, between the two largest sizes. */
  #note(points: readonly { readonly x: number; readonly y: number }[]): string {
    const { note, unit, why } = this.about;
    const [before, last] = points.slice(-2);
    if (why === undefined || before === undefined || last === undefined) return note;
    const micros = ((last.y - before.y) / (last.x - before.x)) * (unit === "ms" ? 1000 : 1);
    return `${note}; ${why}; one more costs ${Number(micros.toPrecision(2))} µs`;
  }
}

/** An exponent of 0.0012 is as good as none: three decimals, and not four digits. */
function rounded(exponent: number): Pick<Row, "value" | "low" | "high"> {
  const value = Math.round(exponent * 1000) / 1000;
  return { value, low: value, high: value };
}

/** What costs less with size does not grow: only what lies above is wrong. */
export function isAsExpected(exponent: number, lastStep: number, expected: Expected): boolean {
  const wanted = expected === "constant" ? 0 : 1;
  return exponent <= wanted + exponentTolerance && lastStep <= wanted + lastStepTolerance;
}
