import type { Batch, CommitOutcome } from "@hongyan/core";
import { noMemory, setSavepoint, writeBehindLocks } from "./behind-locks.ts";
import { bucketOfId } from "./bucket.ts";
import type { BucketMap, MappedServer } from "./bucket-map.ts";
import { isFenced, isLostRace, RolledBack } from "./errors.ts";
import { fence } from "./fence.ts";
import type { GroupPlan } from "./group-plan.ts";
import { lookAtLogs, lookAtRecords } from "./look.ts";
import type { NameDigest } from "./name-digest.ts";
import { decideToCommit, decisionName, forgetDecision, obey, prepare, preparedName } from "./prepared.ts";
import { settled } from "./settled.ts";
import { remember, triesMax } from "./transaction.ts";
import { writeCursors, writeEntries, writeRecords } from "./write.ts";
import type { Writer } from "./writer.ts";

/**
 * A part may have to wait for another one's locks: the connection is idle meanwhile. A node that stops here holds its
 * locks so long.
 */
const idleMsMax = 10_000;

/** What happens between the phases, for tests: the node may die at each. */
export type Moment = "prepared" | "decided" | "committed one";

interface Part {
  readonly place: MappedServer;
  readonly writer: Writer;
  isPrepared: boolean;
}

/**
 * Commits what is on several servers, all or nothing.
 *
 * 1. All parts are locked and looked at, then written: server after server in one order, so that nobody waits in a circle
 *    across them. What loses a race is written again, with the locks kept.
 * 2. All but home's are prepared: from then on they can be committed whatever happens.
 * 3. Home commits the records, its part and **the decision**.
 * 4. The others are committed. Where the node does not come to it, others do: see InDoubt.
 */
export class TwoPhases {
  readonly node: string;
  readonly #at: (moment: Moment) => Promise<void>;
  #count = 0;

  /** `node`: of this store; no other one has it. */
  constructor(node: string, at: (moment: Moment) => Promise<void> = async () => {}) {
    this.node = node;
    this.#at = at;
  }

  /** `places`: home is the last. Rejects with `RolledBack` where a fence held it off. */
  async commit(
    places: readonly MappedServer[],
    writers: readonly Writer[],
    map: BucketMap,
    batches: readonly Batch[],
  ): Promise<CommitOutcome[]> {
    const { counted } = map.home.server;
    for (let tries = 1; tries <= triesMax; tries++) {
      const parts = places.map((place, at) => ({ place, writer: writers[at] as Writer, isPrepared: false }));
      const decision = decisionName(this.node, ++this.#count);
      const memories = new Map(places.map((place) => [place, place.server.memory]));
      try {
        const plan = await writeBehindLocks(batches, {
          writers,
          look: async (plan, isFirst) => {
            for (const part of parts) await settled(look(part, plan, map, isFirst));
          },
          write: async (plan) => {
            for (const part of parts) await settled(write(part, plan, map));
          },
          lostRace: () => counted.lostRaces++,
        });
        if (plan !== undefined) {
          await this.#carryOut(parts, decision);
          const memoryOf = (log: string) => memories.get(map.holderOf(log)) ?? noMemory;
          remember(plan, {
            addRow: (log) => memoryOf(log).addRow(log),
            committed: (log) => memoryOf(log.name).committed(log),
          });
          return plan.outcomes;
        }
        await undo(parts, decision);
      } catch (error) {
        if (!isFenced(error) && !isLostRace(error)) throw error;
        await undo(parts, decision);
        if (isFenced(error)) throw new RolledBack("Buckets have moved");
      }
      counted.lostRaces++;
    }
    throw new Error("Other nodes were faster again and again");
  }

  async #carryOut(parts: readonly Part[], decision: string): Promise<void> {
    const home = parts.at(-1) as Part;
    const others = parts.slice(0, -1);
    await settled(
      others.map(async (part) => {
        part.isPrepared = await prepare(part.writer.client, preparedName(decision, part.place.server.name));
        if (!part.isPrepared) throw new Error("a part of the transaction was ended");
      }),
    );
    await this.#at("prepared");
    await settled<unknown>([home.writer.run(decideToCommit, [decision]), home.writer.commit()]);
    await this.#at("decided");
    for (const [nth, { writer, place }] of others.entries()) {
      await obey(writer.client, preparedName(decision, place.server.name), true);
      if (nth === 0) await this.#at("committed one");
    }
    // It has done what it is for. Nobody waits for that; where it fails, it is swept away later.
    home.writer.run(forgetDecision, [decision]).catch(() => {});
  }
}

function look(
  { place, writer }: Part,
  { unknown, locked, keys, records }: GroupPlan,
  map: BucketMap,
  isFirst: boolean,
): Promise<unknown>[] {
  const isHere = ({ id }: { readonly id: NameDigest | Buffer }) => map.holder(bucketOfId(id)) === place;
  const begin = () => [
    writer.begin(),
    writer.client.query(`SET LOCAL idle_in_transaction_session_timeout = ${idleMsMax}`),
    fence(writer, place.version),
  ];
  return [
    ...(isFirst ? begin() : []),
    ...lookAtLogs(writer, {
      unknown: unknown.filter(isHere),
      locked: locked.filter(isHere),
      keys: keys.filter(({ log }) => isHere(log)),
    }),
    ...(place === map.home ? lookAtRecords(writer, records) : []),
    ...(isFirst ? [writer.client.query(setSavepoint)] : []),
  ];
}

function write({ place, writer }: Part, plan: GroupPlan, map: BucketMap): Promise<unknown>[] {
  const entries = plan.entries.filter(({ log }) => map.holder(bucketOfId(log.id)) === place);
  const cursors = plan.cursors.changed.filter(({ log }) => map.holder(bucketOfId(log)) === place);
  return [
    ...writeEntries(writer, entries),
    ...(place === map.home ? writeRecords(writer, plan.records) : []),
    ...writeCursors(writer, cursors),
  ];
}

/** After a transaction that is not committed for sure. */
async function undo(parts: readonly Part[], decision: string): Promise<void> {
  await settled(
    parts.map(async ({ isPrepared, writer, place }) => {
      if (isPrepared) await obey(writer.client, preparedName(decision, place.server.name), false);
      else await writer.rollBack();
    }),
  );
}
