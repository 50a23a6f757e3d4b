import type { Batch, CommitOutcome, Journal } from "@hongyan/core";
import { StoreError } from "../store-error.ts";
import { Acknowledged } from "./acknowledged.ts";
import { type Address, parseAddress } from "./address.ts";
import { ClockWatch } from "./clock-watch.ts";
import { refuseUnfinished } from "./copy-state.ts";
import { renounce } from "./epoch.ts";
import { migrate } from "./migrate.ts";
import { Primary } from "./primary.ts";
import { Readers } from "./readers.ts";
import { RememberedLogs } from "./remembered-logs.ts";
import { checkServer } from "./server-check.ts";
import { count as countIn, newStatistics, type PostgresStatistics } from "./statistics.ts";
import type { Writer } from "./writer.ts";

const lanesMax = 4;

/** How many connections commit. */
export function laneCount(poolMax: number): number {
  if (!Number.isSafeInteger(poolMax) || poolMax < 2)
    throw new RangeError(`poolMax is ${poolMax}; it takes 2 connections to write and to read`);
  return Math.min(lanesMax, poolMax - 1);
}

export interface ServerOptions {
  readonly url: string;
  /** What the cluster calls it. */
  readonly name: string;
  readonly poolMax: number;
  readonly createEpoch: () => string;
  readonly skewMsMax: number;
  readonly now: () => number;
  readonly journal: Journal | undefined;
  readonly opensCopy: boolean;
  /** Gives the database its place in the cluster, or refuses it. */
  readonly place: (writers: readonly Writer[], place: string, epoch: string) => Promise<void>;
  /** Ends what was prepared over connections of before: see Primary. */
  readonly settle?: ((writer: Writer, place: string) => Promise<void>) | undefined;
}

/** A PostgreSQL server: its connections, its clock, and what this node remembers of the logs there. */
export class Server {
  readonly name: string;
  readonly address: Address;
  readonly primary: Primary;
  readonly readers: Readers;
  readonly #clock: ClockWatch;
  readonly #memory: Memory;
  readonly #acknowledged: Acknowledged;
  readonly #statistics: PostgresStatistics;

  /** Makes or migrates the tables. Rejects with `StoreError`. */
  static async open(options: ServerOptions): Promise<Server> {
    const { journal, poolMax, createEpoch } = options;
    const address = parseAddress(options.url);
    const count = laneCount(poolMax);
    const memory = { logs: new RememberedLogs() };
    const acknowledged = new Acknowledged();
    const statistics = newStatistics();
    const primary = await Primary.open(
      {
        address,
        count,
        journal,
        failed: () => {
          statistics.commitFailures++;
          memory.logs = new RememberedLogs();
        },
        recovered: () => {
          statistics.recoveries++;
          readers.leaveOthers();
        },
        settle: (writer) => options.settle?.(writer, address.place),
        verify: (writer, epoch) =>
          refuseLoss(writer, acknowledged, epoch, { ...options, place: address.place }),
      },
      async (writers) => {
        const { client } = writers[0] as Writer;
        await checkServer(client, address.place, journal);
        const epoch = await migrate(client, address.place, createEpoch);
        if (!options.opensCopy) await refuseUnfinished(client, address.place);
        await options.place(writers, address.place, epoch);
        return epoch;
      },
    );
    const readers = new Readers(address, poolMax - count, journal, primary);
    const { place } = address;
    const { skewMsMax, now } = options;
    const clock = new ClockWatch({ readers, place, journal, statistics, skewMsMax, now });
    try {
      await clock.start();
    } catch (error) {
      await Promise.all([primary.close(), readers.close()]);
      throw error;
    }
    return new Server({
      name: options.name,
      address,
      primary,
      readers,
      clock,
      memory,
      acknowledged,
      statistics,
    });
  }

  private constructor(parts: {
    readonly name: string;
    readonly address: Address;
    readonly primary: Primary;
    readonly readers: Readers;
    readonly clock: ClockWatch;
    readonly memory: Memory;
    readonly acknowledged: Acknowledged;
    readonly statistics: PostgresStatistics;
  }) {
    this.name = parts.name;
    this.address = parts.address;
    this.primary = parts.primary;
    this.readers = parts.readers;
    this.#clock = parts.clock;
    this.#memory = parts.memory;
    this.#acknowledged = parts.acknowledged;
    this.#statistics = parts.statistics;
  }

  /** Of the connections of now: what a transaction learns belongs to those that it began with. */
  get memory(): RememberedLogs {
    return this.#memory.logs;
  }

  /** What one transaction has committed over the connection of a lane. */
  committed(lane: number, batches: readonly Batch[], outcomes: readonly CommitOutcome[]): void {
    countIn(this.#statistics, outcomes);
    this.#acknowledged.add(lane, batches, outcomes);
  }

  /** To be counted in. */
  get counted(): PostgresStatistics {
    return this.#statistics;
  }

  /** Totals since the start, and how it is now. */
  get statistics(): PostgresStatistics {
    const { open, busy, waiting } = this.readers.connections;
    return {
      ...this.#statistics,
      readConnections: open,
      readConnectionsBusy: busy,
      readsWaiting: waiting,
    };
  }

  stop(): void {
    this.#clock.stop();
  }

  async close(): Promise<void> {
    this.stop();
    await Promise.all([this.primary.close(), this.readers.close()]);
  }
}

/** Replaced when a commit fails: see RememberedLogs. */
interface Memory {
  logs: RememberedLogs;
}

/**
 * A failover to a standby that was behind, or a server that was restored: seqs that were given out would be given out
 * again, and a device that has seen the first would take no notice of the second.
 */
async function refuseLoss(
  writer: Writer,
  acknowledged: Acknowledged,
  epoch: string,
  {
    place,
    createEpoch,
    journal,
  }: Pick<ServerOptions, "createEpoch" | "journal"> & { readonly place: string },
): Promise<void> {
  const lost = await acknowledged.findLost(writer);
  if (lost === undefined) return;
  const { log, seq } = lost;
  const error = `${place} has lost what it had committed: entry ${seq} of ${log} at the least. It has another epoch now: start all nodes anew`;
  journal?.warn("store.lost", { place, log, seq, error });
  await renounce(writer.client, epoch, createEpoch());
  throw new StoreError("foreign", error);
}
