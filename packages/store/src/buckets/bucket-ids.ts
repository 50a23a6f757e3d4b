import type { Bucket } from "../postgres/bucket.ts";

/** As it is written: its hex digit, which also ends the names of its partitions. */
export function bucketName(bucket: Bucket): string {
  return bucket.toString(16);
}

/** Steps into which the ids of a bucket can be divided: the four hex digits behind the first. */
export const stepCount = 0x10000;

/** The lowest id from a step of the bucket on, and the highest before another one. */
export function idsBetween(bucket: Bucket, from: number, to: number): readonly [first: string, last: string] {
  return [idOf(bucket, from, "0"), idOf(bucket, to - 1, "f")];
}

export function idsOf(bucket: Bucket): readonly [first: string, last: string] {
  return idsBetween(bucket, 0, stepCount);
}

function idOf(bucket: Bucket, step: number, rest: string): string {
  const digits = `${bucketName(bucket)}${step.toString(16).padStart(4, "0")}`.padEnd(32, rest);
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
