/** LevelDB as the key-value of the embedded store. Every write is synced: `sync: true` is fdatasync of its log. */
import { access, constants, open, readdir, readFile, realpath, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Journal } from "@hongyan/core";
import { ClassicLevel } from "classic-level";
import { StoreError } from "../store-error.ts";
import { DirectoryPlace } from "./directory-place.ts";
import type { KeyValue, Operation, Pair, Scan, ScanRange } from "./key-value.ts";
import { makeDirectory } from "./new-directory.ts";

export interface LevelOptions {
  readonly directory: string;
  /** Decompressed blocks kept in memory. */
  readonly blockCacheBytes: number;
  /** False: the data must be there already. */
  readonly create: boolean;
  readonly journal?: Journal | undefined;
}

/**
 * LevelDB sorts this much in memory before it writes a table, and its tables have this size. At 3 million stored
 * messages 16 MiB doubles the rate of the defaults of 4 and 2 MiB (122,000 against 57,000 messages/s), because
 * fewer tables are merged less often; opening replays at most this much log (0.15 s).
 */
const tableBytes = 16 * 1024 * 1024;
const pageBytes = 64 * 1024;
/**
 * An iterator reserves 64 bytes for each pair that it is asked for and keeps them until it is collected as garbage:
 * 880 MB of address space after 14,000 short scans that asked for 1,000, and 5 KB of memory for each. Most scans
 * are short.
 */
const firstPagePairs = 16;
const pageGrowth = 8;
const pagePairsMax = 1000;
/** The highest limit that LevelDB's iterator can count. */
const scanPairsMax = 2 ** 31 - 1;
const none = new Uint8Array(0);
/** Lines of the journal about one opening. */
const lossesMax = 20;

/**
 * Directories that this process has open. LevelDB's lock is a POSIX lock, which a process loses as soon as it closes
 * *any* handle of the file: a second open within the process would be refused by LevelDB, and yet let another
 * process in. So it must not get that far.
 */
const openPaths = new Set<string>();

type Level = ClassicLevel<Uint8Array, Uint8Array>;

export async function openLevel({
  directory,
  blockCacheBytes,
  create,
  journal,
}: LevelOptions): Promise<KeyValue> {
  await prepareDirectory(directory, create);
  const path = await realpath(directory);
  if (openPaths.has(path)) throw locked(directory);
  openPaths.add(path);
  try {
    const level = await openIn(directory, blockCacheBytes, create);
    if (journal !== undefined) await tellOfLosses(directory, journal);
    const place = await DirectoryPlace.of(directory);
    return new LevelKeyValue(level, place, () => openPaths.delete(path));
  } catch (error) {
    openPaths.delete(path);
    throw error;
  }
}

async function openIn(directory: string, blockCacheBytes: number, create: boolean): Promise<Level> {
  const level: Level = new ClassicLevel(directory, {
    // `view` returns Uint8Array, `buffer` Buffer; the latter is the cheaper one inside classic-level.
    keyEncoding: "buffer",
    valueEncoding: "buffer",
    createIfMissing: create,
    cacheSize: blockCacheBytes,
    writeBufferSize: tableBytes,
    maxFileSize: tableBytes,
  });
  try {
    await level.open();
  } catch (error) {
    throw openError(directory, error);
  }
  return level;
}

/**
 * LevelDB leaves out what it cannot read of its log, and says so only in its file `LOG`, which begins anew with every
 * opening. Its `paranoid_checks` would refuse to open instead; classic-level does not offer them, and they would also
 * refuse after a power cut that tore a write which nobody was told of. That is why this is a warning: what is missing
 * in the middle of a log is found when it is read (holes.ts).
 */
async function tellOfLosses(directory: string, journal: Journal): Promise<void> {
  const text = await readFile(join(directory, "LOG"), "utf8").catch(() => "");
  const losses = [...text.matchAll(/(\d+\.log): dropping (\d+) bytes; (.*)/g)];
  for (const [, file, bytes, reason] of losses.slice(0, lossesMax))
    journal.warn("store.dropped", { directory, file, bytes: Number(bytes), reason });
}

class LevelKeyValue implements KeyValue {
  readonly #level: Level;
  readonly #place: DirectoryPlace;
  readonly #closed: () => void;

  constructor(level: Level, place: DirectoryPlace, closed: () => void) {
    this.#level = level;
    this.#place = place;
    this.#closed = closed;
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#level.getMany(keys as Uint8Array[]);
  }

  scan({
    gte,
    lt,
    reverse = false,
    limit = scanPairsMax,
    keysOnly = false,
    first = firstPagePairs,
  }: ScanRange): Scan {
    const iterator = this.#level.iterator({
      gte,
      lt,
      reverse,
      limit: Math.min(limit, scanPairsMax),
      values: !keysOnly,
      fillCache: !keysOnly,
      highWaterMarkBytes: pageBytes,
    });
    let size = Math.min(limit, first);
    return {
      async next(): Promise<readonly Pair[]> {
        const pairs = await iterator.nextv(size);
        size = Math.min(limit, size * pageGrowth, pagePairsMax);
        return keysOnly ? pairs.map(([key]) => [key, none]) : pairs;
      },
      close: () => iterator.close(),
    };
  }

  async write(operations: readonly Operation[]): Promise<void> {
    // A chained batch: an array batch copies each operation twice in abstract-level (161,000 against 140,000
    // messages/s).
    const batch = this.#level.batch();
    for (const { key, value } of operations) {
      if (value === undefined) batch.del(key);
      else batch.put(key, value);
    }
    await batch.write({ sync: true });
  }

  present(): Promise<void> {
    return this.#place.check();
  }

  async close(): Promise<void> {
    try {
      await this.#level.close();
    } finally {
      this.#closed();
    }
  }
}

// ── Directory ──────────────────────────────────────────────────────────────────────────────────────────────────

async function prepareDirectory(directory: string, create: boolean): Promise<void> {
  try {
    const made = create ? await makeDirectory(directory) : undefined;
    // The name of a new directory must survive a crash as well as what is in it.
    if (made !== undefined) await syncDirectory(dirname(made));
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unwritable(directory, error);
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function openError(directory: string, error: unknown): StoreError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return (cause as { code?: string }).code === "LEVEL_LOCKED"
    ? locked(directory, cause)
    : unwritable(directory, cause);
}

function locked(directory: string, cause?: unknown): StoreError {
  return new StoreError("locked", `The data directory ${directory} is in use by another server`, cause);
}

function unwritable(directory: string, cause: unknown): StoreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreError("unwritable", `The data directory ${directory} cannot be used: ${reason}`, cause);
}

// ── Probe ──────────────────────────────────────────────────────────────────────────────────────────────────────

const probeName = "PROBE";
const probeBytesSpare = 256 * 1024;

/**
 * Rejects while the directory does not take what opening it will write: LevelDB turns its log into a table of about
 * the same size. Without this, a store on a full disk would lose its readers on every attempt.
 */
export async function probeDirectory(directory: string): Promise<void> {
  const path = join(directory, probeName);
  try {
    const bytes = probeBytesSpare + (await logBytes(directory));
    const handle = await open(path, "w");
    try {
      const zeros = Buffer.alloc(probeBytesSpare);
      for (let written = 0; written < bytes; written += zeros.length) await handle.writeFile(zeros);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  } finally {
    await rm(path, { force: true });
  }
}

async function logBytes(directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory)) {
    if (name.endsWith(".log")) bytes += (await stat(join(directory, name))).size;
  }
  return bytes;
}
