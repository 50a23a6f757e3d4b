import type { Append, Batch, CommitOutcome } from "@hongyan/core";
import { int8Array, uuidArray } from "./binary-array.ts";
import { bucketOf } from "./bucket.ts";
import { nameDigest } from "./name-digest.ts";
import type { Statement, Writer } from "./writer.ts";

/** An entry that this node has answered for. */
export interface AcknowledgedEntry extends Pick<Append, "log" | "producer" | "number" | "time"> {
  readonly seq: number;
}

/** Of those, the ones that are not there; a bucket that another server holds says nothing. */
const findMissing: Statement = {
  name: "find_missing",
  text: `
    SELECT wanted.at - 1
    FROM unnest($1::uuid[], $2::int8[], $3::uuid[], $4::int8[], $5::int8[], $6::int8[])
      WITH ORDINALITY AS wanted (log, seq, producer, number, time, bucket, at)
    JOIN hongyan.placement ON wanted.bucket = ANY (placement.held)
    WHERE NOT EXISTS (
      SELECT FROM hongyan.entries
      WHERE entries.log = wanted.log AND entries.seq = wanted.seq AND entries.number = wanted.number
        AND entries.time = wanted.time AND entries.producer IS NOT DISTINCT FROM wanted.producer)`,
};

/**
 * The last entries that this node has acknowledged, one of each lane. A server that has lost commits has lost the last
 * ones, as they lie one behind the other in its WAL: while these are there, so is everything of before.
 */
export class Acknowledged {
  readonly #last: AcknowledgedEntry[] = [];

  /** What one transaction has committed over the connection of a lane. */
  add(lane: number, batches: readonly Batch[], outcomes: readonly CommitOutcome[]): void {
    for (let nth = batches.length - 1; nth >= 0; nth--) {
      const { appends = [] } = batches[nth] ?? {};
      for (let at = appends.length - 1; at >= 0; at--) {
        const outcome = outcomes[nth]?.appends[at];
        if (outcome?.status !== "stored") continue;
        const { log, producer, number, time } = appends[at] as Append;
        this.#last[lane] = { log, producer, number, time, seq: outcome.seq };
        return;
      }
    }
  }

  /** One that the server does not have. */
  async findLost(writer: Writer): Promise<AcknowledgedEntry | undefined> {
    // Lanes that have stored nothing yet leave holes.
    const entries = this.#last.filter(() => true);
    if (entries.length === 0) return undefined;
    const [missing] = await writer.run(findMissing, [
      uuidArray(entries.map(({ log }) => nameDigest(log))),
      int8Array(entries.map(({ seq }) => seq)),
      uuidArray(entries.map(({ producer }) => (producer === "" ? undefined : nameDigest(producer)))),
      int8Array(entries.map(({ number }) => number)),
      int8Array(entries.map(({ time }) => time)),
      int8Array(entries.map(({ log }) => bucketOf(log))),
    ]);
    return missing === undefined ? undefined : entries[Number(missing[0])];
  }
}
