/** `hongyan buckets`: on which PostgreSQL server each bucket of logs is, and how it gets to another one. */
import type { Bucket, BucketMoved, BucketPhase, BucketProgress, ListedBucket } from "@hongyan/store/buckets";
import type { Config } from "../config/schema.ts";
import { quoted } from "../config/shortened.ts";
import { StartError } from "../process/start-error.ts";
import { configOf, type Option, readArguments, UsageError } from "./arguments.ts";
import { counted } from "./counted.ts";
import { ProgressLine } from "./progress-line.ts";

export const bucketsOptions: Readonly<Record<string, Option>> = {
  to: {
    type: "string",
    value: "NAME",
    meaning: "The server: one of postgres.servers, or home, which is postgres.url.",
  },
  abort: {
    type: "boolean",
    meaning: "Undoes moves that were begun, as long as nothing was switched.",
  },
};

export async function buckets(args: readonly string[]): Promise<void> {
  const read = readArguments(args, bucketsOptions, 2);
  const [verb, range] = read.words;
  const [to, isAbort] = [read.options.get("to"), read.options.has("abort")];
  if (verb !== undefined && verb !== "move")
    throw new UsageError(
      `${quoted(verb)} is nothing that buckets does: "buckets" alone shows them, "buckets move" moves them`,
    );
  if (verb === undefined && (to !== undefined || isAbort))
    throw new UsageError(`${to === undefined ? "--abort" : "--to"} goes with move: hongyan buckets move 8-f`);
  const wanted = verb === undefined ? [] : readRange(range);
  if (verb === "move" && to === undefined && !isAbort)
    throw new UsageError("--to is missing: the server that the buckets are to be on");
  if (to !== undefined && isAbort)
    throw new UsageError("--abort takes no --to: what was begun is undone, wherever it leads");
  const { config } = configOf(read);
  const urls = serversOf(config);
  if (to !== undefined && !urls.has(to))
    throw new UsageError(
      `--to ${quoted(to)} is no server: there are ${[...urls.keys()].join(", ")} (postgres.servers)`,
    );
  if (verb === undefined) await list(urls);
  else if (to === undefined) await abort(urls, wanted);
  else await move(urls, wanted, to);
}

/** `8` or `8-f`. */
export function readRange(text: string | undefined): Bucket[] {
  if (text === undefined) throw new UsageError("which buckets? One from 0 to f, or a range as 8-f");
  const [, first = "", last = first] = /^([0-9a-f])(?:-([0-9a-f]))?$/i.exec(text) ?? [];
  if (first === "")
    throw new UsageError(`${quoted(text)} is no bucket: there are 0 to 9 and a to f, and ranges as 8-f`);
  const [from, to] = [Number.parseInt(first, 16), Number.parseInt(last, 16)];
  if (from > to) throw new UsageError(`the range ${text} has its end before its beginning`);
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

function serversOf({ postgres }: Config): ReadonlyMap<string, string> {
  if (postgres.url === "")
    throw new UsageError(
      "postgres.url is missing: name the database in a file of settings (--config) or in HONGYAN_POSTGRES_URL",
    );
  return new Map([["home", postgres.url], ...Object.entries(postgres.servers)]);
}

async function list(urls: ReadonlyMap<string, string>): Promise<void> {
  const { bucketName, listBuckets } = await import("@hongyan/store/buckets");
  const listed = await listBuckets(urls).catch(refuse);
  const lines = listed.map((one) => [
    bucketName(one.bucket),
    one.server,
    number(one.rows),
    `${number(Math.ceil(one.bytes / 2 ** 20))} MiB`,
    stateText(one),
  ]);
  process.stdout.write(table([["bucket", "server", "rows, about", "on disk", "state"], ...lines]));
}

function stateText({ state, movingTo, leftOn }: ListedBucket): string {
  const left = leftOn.length > 0 ? `; rows are left on ${leftOn.join(", ")}: give the move again` : "";
  if (movingTo === undefined) return `${state === "serving" ? state : "takes no writes"}${left}`;
  if (state === "serving") return `serving, moving to ${movingTo}`;
  return `writes wait, moving to ${movingTo}: give the move again`;
}

async function move(
  urls: ReadonlyMap<string, string>,
  wanted: readonly Bucket[],
  target: string,
): Promise<void> {
  const { bucketName, moveBuckets } = await import("@hongyan/store/buckets");
  const line = new ProgressLine();
  const report = (progress: BucketProgress): void =>
    line.show(`bucket ${bucketName(progress.bucket)}: ${words[progress.phase]}`, {
      done: { entries: MiB(progress.bytes) },
      entries: MiB(progress.bytesTotal),
    });
  const options = { urls, target, buckets: wanted, report, signal: interrupted() };
  let nth = 0;
  try {
    for await (const moved of moveBuckets(options)) {
      line.end();
      const name = bucketName(wanted[nth++] as Bucket);
      process.stdout.write(
        moved === undefined ? `Bucket ${name} is on ${target} already.\n` : movedText(name, target, moved),
      );
    }
  } catch (error) {
    line.end();
    throw options.signal.aborted
      ? new StartError("interrupted: the same command goes on with it, with --abort it is undone", error)
      : startError(error);
  }
}

function movedText(name: string, target: string, { rows, rowsAgain, heldMs }: BucketMoved): string {
  const held = heldMs === undefined ? "" : ` Writes to it waited for ${number(Math.round(heldMs))} ms.`;
  return `Bucket ${name} is on ${target}: ${counted(rows, "row")} copied, ${number(rowsAgain)} again as they were written meanwhile.${held}\n`;
}

async function abort(urls: ReadonlyMap<string, string>, wanted: readonly Bucket[]): Promise<void> {
  const { abortMoves, bucketName } = await import("@hongyan/store/buckets");
  let nth = 0;
  try {
    for await (const wasMoving of abortMoves({
      urls,
      buckets: wanted,
      report: () => {},
      signal: interrupted(),
    })) {
      const name = bucketName(wanted[nth++] as Bucket);
      process.stdout.write(
        wasMoving ? `Bucket ${name} stays where it is.\n` : `Bucket ${name} was not being moved.\n`,
      );
    }
  } catch (error) {
    throw startError(error);
  }
}

const words: Readonly<Record<BucketPhase, string>> = {
  copy: "copying, MiB",
  follow: "copying what was written meanwhile, MiB",
  compare: "comparing, MiB",
  freeze: "switching, MiB",
  rest: "switching, MiB",
  release: "switching, MiB",
  hold: "switching, MiB",
  switch: "switching, MiB",
  clean: "clearing the old place, MiB",
};

/** Ctrl-C ends a move where it can go on later; a second one ends the process. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

function refuse(error: unknown): never {
  throw startError(error);
}

function startError(error: unknown): unknown {
  return error instanceof Error ? new StartError(error.message, error) : error;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? [];
  const isNumber = (at: number): boolean => at === 2 || at === 3;
  return rows
    .map((row) =>
      row
        .map((cell, at) => (isNumber(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

function MiB(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
