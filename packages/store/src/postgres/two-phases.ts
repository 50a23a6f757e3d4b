import type { Batch, CommitOutcome } from "@hongyan/core";
import { bucketOfId } from "./bucket.ts";
import type { BucketMap, MappedServer } from "./bucket-map.ts";
import { isFenced, isLostRace, RolledBack } from "./errors.ts";
import { fence } from "./fence.ts";
import { GroupPlan } from "./group-plan.ts";
import { lookAtLogs, lookAtRecords } from "./look.ts";
import type { NameDigest } from "./name-digest.ts";
import { decideToCommit, decisionName, forgetDecision, obey, prepare, preparedName } from "./prepared.ts";
import { settled } from "./settled.ts";
import { noMemory, remember, triesMax } from "./transaction.ts";
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
 *    across them.
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
    for (let tries = 1; ; tries++) {
      const parts = places.map((place, at) => ({ place, writer: writers[at] as Writer, isPrepared: false }));
      const decision = decisionName(this.node, ++this.#count);
      const memories = new Map(places.map((place) => [place, place.server.memory]));
      const plan = new GroupPlan(batches, noMemory);
      try {
        if (await this.#carryOut(parts, decision, map, plan)) {
          const memoryOf = (log: string) => memories.get(map.holderOf(log)) ?? noMemory;
          remember(plan, {
            addRow: (log) => memoryOf(log).addRow(log),
            committed: (log) => memoryOf(log.name).committed(log),
          });
          return plan.outcomes;
        }
        await undo(parts, decision);
      } catch (error) {
        const isOff = isFenced(error);
        if (!isOff && (!isLostRace(error) || tries === triesMax)) throw error;
        await undo(parts, decision);
        if (isOff) throw new RolledBack("Buckets have moved");
      }
      if (tries === triesMax) throw new Error("Other nodes delete the same records again and again");
      counted.lostRaces++;
    }
  }

  /** False: a record was deleted by another node in between. */
  async #carryOut(
    parts: readonly Part[],
    decision: string,
    map: BucketMap,
    plan: GroupPlan,
  ): Promise<boolean> {
    const home = parts.at(-1) as Part;
    const others = parts.slice(0, -1);
    for (const { place, writer } of parts) {
      const isHere = ({ id }: { readonly id: NameDigest | Buffer }) => map.holder(bucketOfId(id)) === place;
      const { unknown, locked, keys } = plan;
      await settled<unknown>([
        writer.begin(),
        writer.client.query(`SET LOCAL idle_in_transaction_session_timeout = ${idleMsMax}`),
        fence(writer, place.version),
        ...lookAtLogs(writer, {
          unknown: unknown.filter(isHere),
          locked: locked.filter(isHere),
          keys: keys.filter(({ log }) => isHere(log)),
        }),
        ...(place === home.place ? lookAtRecords(writer, plan.records) : []),
      ]);
    }
    if (plan.records.isMissing) return false;
    plan.decide();
    for (const { place, writer } of parts) {
      const entries = plan.entries.filter(({ log }) => map.holder(bucketOfId(log.id)) === place);
      const cursors = plan.cursors.changed.filter(({ log }) => map.holder(bucketOfId(log)) === place);
      await settled([
        ...writeEntries(writer, entries),
        ...(place === home.place ? writeRecords(writer, plan.records) : []),
        ...writeCursors(writer, cursors),
      ]);
    }
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
    return true;
  }
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
