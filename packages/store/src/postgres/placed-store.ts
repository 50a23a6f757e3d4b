import { randomBytes } from "node:crypto";
import type {
  Batch,
  CommitOutcome,
  CursorId,
  Entry,
  LogId,
  PageLimit,
  ReaderPosition,
  Store,
  StoredRecord,
} from "@hongyan/core";
import { checkBatch } from "@hongyan/core/memory";
import { parseAddress } from "./address.ts";
import type { MappedServer } from "./bucket-map.ts";
import { CommitLanes } from "./commit-lanes.ts";
import { CurrentMap } from "./current-map.ts";
import { fenced } from "./fence.ts";
import { GroupRead } from "./group-read.ts";
import { InDoubt } from "./in-doubt.ts";
import {
  headsOf,
  positionsOf,
  readAfter,
  readBefore,
  readersOf,
  recordsOf,
  recordsWith,
  seqOfKey,
} from "./lookups.ts";
import { type PostgresStoreOptions, poolMaxDefault, queueBytesMaxDefault, serverOptions } from "./options.ts";
import { PlacedCommits } from "./placed-commits.ts";
import { beHome, homeName, join } from "./placement.ts";
import { closed } from "./primary.ts";
import type { Readers } from "./readers.ts";
import { laneCount, Server, type ServerOptions } from "./server.ts";
import { settled } from "./settled.ts";
import { startTogether } from "./start-together.ts";
import { type PostgresStatistics, totalOf } from "./statistics.ts";
import { type Moment, TwoPhases } from "./two-phases.ts";
import type { Writer } from "./writer.ts";

export interface PlacedStoreOptions extends PostgresStoreOptions {
  /** Of the servers beside `url`, which is `home`: by their names, of a-z, 0-9 and -. */
  readonly servers: ReadonlyMap<string, string>;
  /** So long a transaction may be prepared and not decided before any node ends it. Default 5 s. */
  readonly doubtMsMax?: number | undefined;
  /** For tests: is called, and waited for, in the middle of commits over several servers. */
  readonly at?: ((moment: Moment) => Promise<void>) | undefined;
}

/**
 * All durable state in several PostgreSQL servers, for any number of nodes: records are on the home server, logs where
 * their bucket is. Otherwise like PostgresStore, which is the same with one; each server has its own `poolMax`
 * connections. When one is away, commits are rejected until all are back.
 */
export class PlacedStore implements Store {
  readonly epoch: string;
  /** Which databases, for people, home first: without users and passwords. */
  readonly place: string;
  readonly #home: Server;
  /** Home is the last. */
  readonly #servers: readonly Server[];
  readonly #map: CurrentMap;
  readonly #commits: PlacedCommits;
  readonly #lanes: CommitLanes;
  readonly #inDoubt: InDoubt;
  readonly #heads = new GroupRead((logs: readonly LogId[]) => this.#readSplit(logs, (log) => log, headsOf));
  readonly #positions = new GroupRead((of: readonly CursorId[]) =>
    this.#readSplit(of, ({ log }) => log, positionsOf),
  );
  readonly #records = new GroupRead((keys: readonly string[]) => recordsOf(this.#home.readers, keys));
  #closing: Promise<void> | undefined;

  /** Rejects like PostgresStore, and with `foreign` where a server belongs to another cluster, or is another one of this. */
  static open(options: PlacedStoreOptions): Promise<PlacedStore> {
    return startTogether(() => PlacedStore.#open(options));
  }

  static async #open(options: PlacedStoreOptions): Promise<PlacedStore> {
    const common = serverOptions(options);
    const node = randomBytes(9).toString("base64url");
    const { doubtMsMax = 5_000, journal } = options;
    const inDoubt = new InDoubt(node, parseAddress(options.url), doubtMsMax, journal);
    const opened: Server[] = [];
    const open = async (own: Pick<ServerOptions, "name" | "url" | "place" | "settle">): Promise<Server> => {
      const server = await Server.open({ ...common, ...own });
      opened.push(server);
      return server;
    };
    const settle = (writer: Writer, place: string) => inDoubt.settle(writer, place);
    try {
      const home = await open({
        name: homeName,
        url: options.url,
        place: (writers, place, epoch) => beHome(writers, place, epoch, [...options.servers.keys()]),
      });
      const others = await settled(
        [...options.servers]
          .sort(([one], [other]) => (one < other ? -1 : 1))
          .map(([name, url]) =>
            open({
              name,
              url,
              place: async ([writer], place) => {
                await join(writer as Writer, place, { cluster: home.primary.epoch, name });
                await settle(writer as Writer, place);
              },
              settle,
            }),
          ),
      );
      const servers = [...others, home];
      const map = await CurrentMap.read(servers);
      return new PlacedStore(servers, map, inDoubt, new TwoPhases(node, options.at), options);
    } catch (error) {
      await Promise.all(opened.map((server) => server.close()));
      throw error;
    }
  }

  private constructor(
    servers: readonly Server[],
    map: CurrentMap,
    inDoubt: InDoubt,
    phases: TwoPhases,
    { poolMax = poolMaxDefault, queueBytesMax = queueBytesMaxDefault }: PlacedStoreOptions,
  ) {
    this.#servers = servers;
    this.#home = servers.at(-1) as Server;
    this.epoch = this.#home.primary.epoch;
    this.place = servers
      .map(({ address }) => address.place)
      .reverse()
      .join(", ");
    this.#map = map;
    this.#commits = new PlacedCommits(map, phases);
    this.#lanes = new CommitLanes({
      count: laneCount(poolMax),
      bytesMax: queueBytesMax,
      commitGroup: (lane, batches) => this.#commits.commitGroup(lane, batches),
    });
    this.#inDoubt = inDoubt;
    inDoubt.start(this.#home, servers.slice(0, -1));
  }

  /** Of all servers together; the clock that is furthest off. */
  get statistics(): Readonly<PostgresStatistics> {
    const total = totalOf(this.#servers.map(({ statistics }) => statistics));
    total.readsWaiting += this.#heads.waiting + this.#positions.waiting + this.#records.waiting;
    return total;
  }

  // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────

  async commit(batch: Batch): Promise<CommitOutcome> {
    this.#check();
    checkBatch(batch);
    // Refuses here what could not be written, so that a queue of it does not build up.
    for (const { primary } of this.#servers) void primary.writers;
    return this.#lanes.commit(batch);
  }

  async trim(log: LogId, upTo: number): Promise<void> {
    this.#check();
    await this.#lanes.alone(log, (lane) => this.#commits.trim(lane, log, upTo));
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────

  read(log: LogId, after: number, limit: PageLimit): Promise<Entry[]> {
    return this.#readOf(log, (readers) => readAfter(readers, log, after, limit));
  }

  readBack(log: LogId, before: number, limit: PageLimit): Promise<Entry[]> {
    return this.#readOf(log, (readers) => readBefore(readers, log, before, limit));
  }

  async heads(logs: readonly LogId[]): Promise<number[]> {
    this.#check();
    return this.#heads.read(logs);
  }

  find(log: LogId, producer: string, number: number): Promise<number | undefined> {
    return this.#readOf(log, (readers) => seqOfKey(readers, log, producer, number));
  }

  async positions(of: readonly CursorId[]): Promise<number[]> {
    this.#check();
    return this.#positions.read(of);
  }

  readers(log: LogId, after: string, count: number): Promise<ReaderPosition[]> {
    return this.#readOf(log, (readers) => readersOf(readers, log, after, count));
  }

  async records(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    this.#check();
    return this.#records.read(keys);
  }

  async list(prefix: string, after: string, count: number): Promise<StoredRecord[]> {
    this.#check();
    return recordsWith(this.#home.readers, prefix, after, count);
  }

  async #readOf<T>(log: LogId, read: (readers: Pick<Readers, "run">) => Promise<T>): Promise<T> {
    this.#check();
    return this.#map.goBy(async (map) => read(readersOn(map.holderOf(log))));
  }

  /** Each server is asked for its own; the answers are put together in the order of the questions. */
  async #readSplit<Q, A>(
    questions: readonly Q[],
    logOf: (question: Q) => LogId,
    read: (readers: Pick<Readers, "run">, questions: readonly Q[]) => Promise<A[]>,
  ): Promise<A[]> {
    this.#check();
    return this.#map.goBy(async (map) => {
      const places = new Map<MappedServer, number[]>();
      questions.forEach((question, at) => {
        const place = map.holderOf(logOf(question));
        const its = places.get(place);
        if (its === undefined) places.set(place, [at]);
        else its.push(at);
      });
      const answers = new Array<A>(questions.length);
      await Promise.all(
        [...places].map(async ([place, its]) => {
          const found = await read(
            readersOn(place),
            its.map((at) => questions[at] as Q),
          );
          its.forEach((at, i) => {
            answers[at] = found[i] as A;
          });
        }),
      );
      return answers;
    });
  }

  // ── Life ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Commits that were asked for before are carried out first. */
  close(): Promise<void> {
    for (const server of this.#servers) server.stop();
    this.#closing ??= Promise.all([this.#lanes.idle(), this.#inDoubt.stop()]).then(async () => {
      await Promise.all(this.#servers.map((server) => server.close()));
    });
    return this.#closing;
  }

  #check(): void {
    if (this.#closing !== undefined) throw closed();
  }
}

function readersOn({ server, version }: MappedServer): Pick<Readers, "run"> {
  return fenced(server.readers, version);
}
