import { isFenced, RolledBack } from "./errors.ts";
import type { Readers } from "./readers.ts";
import { settled } from "./settled.ts";
import type { Row, Statement, Writer } from "./writer.ts";

/**
 * A node works from a placement that it has read; what moves buckets changes the placement under a lock that excludes
 * all others. So a transaction that writes looks first whether the placement is still the one that it believes, and
 * holds on to it until its end, with the lock of that very look. The look fails where it is not, and with it the COMMIT,
 * which may have left already: nobody need wait for the answer.
 */
const holdPlacement: Statement = {
  name: "fence",
  text: "SELECT 1 / (version = $1::int8)::int FROM hongyan.placement",
};

/** A read that ends before the placement changes has seen the data where they are. */
const lookAtPlacement: Statement = {
  name: "fence_after",
  text: "SELECT version FROM hongyan.placement",
};

/** First in a transaction. */
export function fence(writer: Writer, version: number): Promise<unknown> {
  return writer.run(holdPlacement, [version]);
}

/** Reads that are rejected with `RolledBack` where the placement is not of this version any more. */
export function fenced(readers: Readers, version: number): Pick<Readers, "run"> {
  return {
    async run(statement, values): Promise<Row[]> {
      const [rows, placement] = await readers.runBoth(statement, values, lookAtPlacement);
      if (Number(placement[0]?.[0]) !== version) throw new RolledBack("Buckets have moved");
      return rows;
    },
  };
}

/** Each statement is a transaction of its own, behind the fence. */
export function fencedWriter(writer: Writer, version: number): Pick<Writer, "run"> {
  return {
    async run(statement, values): Promise<Row[]> {
      try {
        const work = [writer.begin(), fence(writer, version), writer.run(statement, values), writer.commit()];
        const [, , rows] = await settled<unknown>(work);
        return rows as Row[];
      } catch (error) {
        if (!isFenced(error)) throw error;
        await writer.rollBack();
        throw new RolledBack("Buckets have moved");
      }
    },
  };
}
