/** Which server each bucket is on: kept by the home server, and what all nodes go by. */
import { setTimeout as delay } from "node:timers/promises";
import type { Bucket } from "../postgres/bucket.ts";
import type { MappedBucket } from "../postgres/misplaced.ts";
import { StoreError } from "../store-error.ts";
import type { ServerConnection } from "./server-connection.ts";

/** So long the connection of a mover that was killed may still be seen. */
const lockMsMax = 2_000;

export function readMap(home: ServerConnection): Promise<MappedBucket[]> {
  return home.transaction(async (client) => {
    const { rows } = await client.query<{ bucket: number; server: string; moving_to: string | null }>(
      "SELECT bucket, server, moving_to FROM hongyan.buckets ORDER BY bucket",
    );
    return rows.map(({ moving_to, ...row }) => ({ ...row, movingTo: moving_to ?? undefined }));
  });
}

/** One mover at a time: until the connection ends. Rejects with `occupied`. */
export async function lockMap(home: ServerConnection): Promise<void> {
  const until = performance.now() + lockMsMax;
  for (;;) {
    const isOurs = await home.transaction(async (client) => {
      const { rows } = await client.query(
        "SELECT pg_try_advisory_lock(hashtext('hongyan.buckets')) AS is_ours",
      );
      return rows[0].is_ours;
    });
    if (isOurs) return;
    if (performance.now() > until)
      throw new StoreError("occupied", `${home.place}: another command moves buckets; one at a time does`);
    await delay(100);
  }
}

/** The bucket moves from now on. */
export function beginMove(home: ServerConnection, bucket: Bucket, target: string): Promise<void> {
  return change(home, "SET moving_to = $2 WHERE bucket = $1", [bucket, target]);
}

/** Nodes go to the target from now on. */
export function endMove(home: ServerConnection, bucket: Bucket, target: string): Promise<void> {
  return change(home, "SET server = $2, moving_to = NULL WHERE bucket = $1 AND moving_to = $2", [
    bucket,
    target,
  ]);
}

/** The bucket stays where it is. */
export function cancelMove(home: ServerConnection, bucket: Bucket): Promise<void> {
  return change(home, "SET moving_to = NULL WHERE bucket = $1", [bucket]);
}

function change(home: ServerConnection, how: string, values: readonly (string | number)[]): Promise<void> {
  return home.transaction(async (client) => {
    await client.query(`UPDATE hongyan.buckets ${how}`, [...values]);
  });
}
