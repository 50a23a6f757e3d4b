/**
 * Traces of a community: who wrote what in which group, in time order. One JSON array per line,
 * `[seconds, group, thread, user, text]`, plain or compressed with gzip.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { UsageError } from "./usage.ts";

export interface TraceLine {
  /** Seconds since the first message. */
  readonly seconds: number;
  readonly group: number | string;
  readonly thread: number | string;
  readonly user: number | string;
  readonly text: string;
}

/** Reads a trace. Throws `UsageError`, with the line number where a line is wrong. */
export function readTrace(file: string): TraceLine[] {
  const lines: TraceLine[] = [];
  let number = 0;
  let lastSeconds = Number.NEGATIVE_INFINITY;
  for (const text of unpack(file, load(file)).split("\n")) {
    number++;
    if (text.trim() === "") continue;
    const line = parseLine(text);
    if (typeof line === "string") throw new UsageError(`${file}, line ${number}: ${line}`);
    if (line.seconds < lastSeconds) throw new UsageError(`${file}, line ${number}: goes back in time`);
    lastSeconds = line.seconds;
    lines.push(line);
  }
  if (lines.length === 0) throw new UsageError(`${file} holds no message`);
  return lines;
}

function load(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") throw new UsageError(`${file}: there is no such file`);
    if (code === "EISDIR") throw new UsageError(`${file} is a directory`);
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function unpack(file: string, bytes: Buffer): string {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip && file.endsWith(".gz")) throw new UsageError(`${file} is not compressed with gzip`);
  let plain = bytes;
  try {
    if (isGzip) plain = gunzipSync(bytes);
  } catch (error) {
    throw new UsageError(`${file} is damaged: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch {
    throw new UsageError(`${file} is not UTF-8 text`);
  }
}

/** The line, or what is wrong with it. */
function parseLine(text: string): TraceLine | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "not JSON";
  }
  if (!Array.isArray(value) || value.length !== 5) return "not an array [seconds, group, thread, user, text]";
  const [seconds, group, thread, user, body] = value as unknown[];
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return "seconds must be a number";
  if (!isName(group) || !isName(thread) || !isName(user))
    return "group, thread and user must be numbers or text";
  if (typeof body !== "string") return "text must be a string";
  if (!body.isWellFormed()) return "text is not well-formed Unicode";
  return { seconds, group, thread, user, text: body };
}

function isName(value: unknown): value is number | string {
  return typeof value === "number" || typeof value === "string";
}

export interface MadeUp {
  readonly seed: number;
  readonly messages: number;
  readonly users: number;
  readonly groups: number;
}

const words =
  "grüße 鸿雁 wild geese carry letters over λ∀x∈ℝ mountains 🪿 and rivers ok +1 `let x := 5` مرحبا до завтра".split(
    " ",
  );

/** A trace that looks like a community's: few talk much, in bursts, in many scripts. The same seed gives the same. */
export function makeTrace({ seed, messages, users, groups }: MadeUp): TraceLine[] {
  const random = seeded(seed);
  /** Small numbers come often, large ones seldom. */
  const skewed = (count: number) => Math.floor(count * random() ** 2);
  const lines: TraceLine[] = [];
  let seconds = 0;
  for (let i = 0; i < messages; i++) {
    if (random() < 0.3) seconds += Math.floor(random() * 600);
    const group = skewed(groups);
    const user = i < users ? i : skewed(users);
    const length = random() < 0.02 ? 400 : 1 + Math.floor(random() * 12);
    const text = Array.from({ length }, () => words[Math.floor(random() * words.length)] ?? "").join(" ");
    lines.push({ seconds, group, thread: skewed(10), user, text });
  }
  return lines;
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
