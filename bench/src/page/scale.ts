/** From values to places on an axis. */

export interface Scale {
  /** Where a value lies; outside of the domain it lies outside of the range. */
  at(value: number): number;
  /** Values worth a line and a label. */
  readonly ticks: readonly number[];
}

/** An even axis from 0 to at least `max`, with about `count` ticks. */
export function linear(max: number, from: number, to: number, count = 5): Scale {
  const step = niceStep(max > 0 ? max / count : 1);
  const steps = Math.max(1, Math.ceil((max > 0 ? max : 1) / step - 1e-9));
  const top = steps * step;
  return {
    at: (value) => from + (value / top) * (to - from),
    ticks: Array.from({ length: steps + 1 }, (_, at) => at * step),
  };
}

/** 1, 2 or 5 times a power of ten, at least `step`. */
function niceStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return ([1, 2, 5, 10].find((factor) => factor * power >= step * (1 - 1e-9)) ?? 10) * power;
}

/** A logarithmic axis between 1, 2 or 5 times powers of ten, over a factor of ten at least. */
export function logarithmic(min: number, max: number, from: number, to: number): Scale {
  const low = niceBelow(min);
  const high = Math.max(niceStep(max), low * 10);
  const [lowLog, highLog] = [Math.log10(low), Math.log10(high)];
  const factors = highLog - lowLog <= 2.5 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(lowLog); power <= highLog; power++)
    for (const factor of factors) ticks.push(Number((factor * 10 ** power).toPrecision(6)));
  return {
    at: (value) => from + ((Math.log10(Math.max(value, low)) - lowLog) / (highLog - lowLog)) * (to - from),
    ticks: ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001),
  };
}

/** 1, 2 or 5 times a power of ten, at most `value`. */
function niceBelow(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  return ([5, 2, 1].find((factor) => factor * power <= value * (1 + 1e-9)) ?? 1) * power;
}

/** Short: 250k, 1.5M. */
export function tickText(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(4))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(4))}k`;
  return size >= 1000 ? value.toLocaleString("en") : `${Number(value.toPrecision(4))}`;
}
