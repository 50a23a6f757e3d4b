import type { Batch, CommitOutcome, LogId } from "@hongyan/core";
import type { BucketMap, MappedServer } from "./bucket-map.ts";
import type { CurrentMap } from "./current-map.ts";
import { fence, fencedWriter } from "./fence.ts";
import { isLook } from "./group-plan.ts";
import { lookAtRecords } from "./look.ts";
import { cut, isEmpty, joined } from "./parts.ts";
import type { Server } from "./server.ts";
import { settled } from "./settled.ts";
import { probe } from "./statements.ts";
import { count } from "./statistics.ts";
import { commitGroup, type Site } from "./transaction.ts";
import { trimLog } from "./trim.ts";
import type { TwoPhases } from "./two-phases.ts";
import type { Writer } from "./writer.ts";

/**
 * Commits groups of batches over several servers. What is on one server is one transaction there, as without the others.
 * What nothing holds together is cut along the servers and committed side by side; the rest is committed in two phases.
 */
export class PlacedCommits {
  readonly #map: CurrentMap;
  readonly #phases: TwoPhases;
  /** Of each server, what runs over the connection of each lane. */
  readonly #turns = new Map<Server, Promise<unknown>[]>();

  constructor(map: CurrentMap, phases: TwoPhases) {
    this.#map = map;
    this.#phases = phases;
  }

  commitGroup(lane: number, batches: readonly Batch[]): Promise<CommitOutcome[]> {
    return this.#map.goBy(async (map) => {
      // Nothing at all is asked for by those who want to know whether the store is back: all of it.
      if (batches.every(isEmpty)) return this.#probe(lane, map, batches);
      const servers = serversOf(batches, map);
      const [first] = servers;
      if (servers.length === 1 && first !== undefined) return this.#commitOn(first, map, lane, batches);
      if (batches.every(isCuttable)) return this.#commitCut(map, lane, batches);
      const places = servers.includes(map.home) ? servers : [...servers, map.home];
      const outcomes = await this.#withAll(places, lane, (writers) =>
        this.#phases.commit(places, writers, map, batches),
      );
      count(map.home.server.counted, outcomes);
      return outcomes;
    });
  }

  trim(lane: number, log: LogId, upTo: number): Promise<void> {
    return this.#map.goBy(async (map) => {
      const { server, version } = map.writtenHolderOf(log);
      await this.#use(server, lane, (writer) => trimLog(fencedWriter(writer, version), log, upTo));
    });
  }

  async #probe(lane: number, { servers }: BucketMap, batches: readonly Batch[]): Promise<CommitOutcome[]> {
    await settled<unknown>(
      servers.map(({ server }) => this.#use(server, lane, (writer) => writer.run(probe, []))),
    );
    return batches.map(() => ({ appends: [], puts: [] }));
  }

  async #commitOn(
    { server, version }: MappedServer,
    { home }: BucketMap,
    lane: number,
    batches: readonly Batch[],
  ): Promise<CommitOutcome[]> {
    const { readers } = home.server;
    const site: Site = {
      fence: (writer) => fence(writer, version),
      lookAway:
        server === home.server
          ? undefined
          : async (records) => {
              await settled(lookAtRecords(readers, records));
            },
    };
    const outcomes = await this.#use(server, lane, (writer) =>
      commitGroup(writer, batches, server.memory, server.counted, site),
    );
    server.committed(lane, batches, outcomes);
    return outcomes;
  }

  /** Each server's part is tried again by itself: what was committed elsewhere stays. */
  async #commitCut(map: BucketMap, lane: number, batches: readonly Batch[]): Promise<CommitOutcome[]> {
    const pieces = batches.map((batch) => cut(batch, (log) => map.writtenHolderOf(log)));
    const places = new Set(pieces.flatMap((parts) => [...parts.keys()]));
    const outcomes = pieces.map(() => new Map<MappedServer, CommitOutcome>());
    await settled(
      [...places].map(async (place) => {
        const its = [...pieces.keys()].filter((at) => pieces[at]?.has(place));
        const parts = its.map((at) => pieces[at]?.get(place)?.batch as Batch);
        const answers = await this.commitGroup(lane, parts);
        its.forEach((at, i) => {
          outcomes[at]?.set(place, answers[i] as CommitOutcome);
        });
      }),
    );
    return batches.map((batch, at) => {
      const parts = pieces[at] as NonNullable<(typeof pieces)[number]>;
      return joined(
        batch,
        parts,
        [...parts.keys()].map((place) => outcomes[at]?.get(place) as CommitOutcome),
      );
    });
  }

  /** The connections of one lane to all the servers, taken in their order. */
  #withAll<T>(
    places: readonly MappedServer[],
    lane: number,
    work: (writers: readonly Writer[]) => Promise<T>,
    writers: readonly Writer[] = [],
  ): Promise<T> {
    const place = places[writers.length];
    if (place === undefined) return work(writers);
    return this.#use(place.server, lane, (writer) => this.#withAll(places, lane, work, [...writers, writer]));
  }

  /** Parts of a group that come to the same server use its connection one after another. */
  async #use<T>(server: Server, lane: number, work: (writer: Writer) => Promise<T>): Promise<T> {
    let turns = this.#turns.get(server);
    if (turns === undefined) {
      turns = [];
      this.#turns.set(server, turns);
    }
    const turn = (turns[lane] ?? Promise.resolve()).then(() => server.primary.use(lane, work));
    turns[lane] = turn.catch(() => {});
    return turn;
  }
}

/** Of a put that guards nothing, no part would know. */
function isCuttable({ appends, puts, inParts }: Batch): boolean {
  if (inParts !== true) return false;
  const guards = new Set(appends.map(({ guard }) => guard));
  return puts.every((_, at) => guards.has(at));
}

/** All servers that the batches touch, in the order in which transactions lock. Throws `RolledBack`. */
function serversOf(batches: readonly Batch[], map: BucketMap): MappedServer[] {
  const touched = new Set<MappedServer>();
  for (const { appends, advances, puts } of batches) {
    for (const { log } of appends) touched.add(map.writtenHolderOf(log));
    for (const { log } of advances) touched.add(map.writtenHolderOf(log));
    const guards = new Set(puts.map(({ guard }) => guard));
    puts.forEach((put, at) => {
      if (put.head !== undefined) touched.add(map.writtenHolderOf(put.head.log));
      if (!isLook(put) || guards.has(at)) touched.add(map.home);
    });
  }
  if (touched.size === 0) touched.add(map.home);
  return map.servers.filter((server) => touched.has(server));
}
