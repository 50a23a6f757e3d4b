import { randomUUID } from "node:crypto";
import type { Bucket } from "../postgres/bucket.ts";
import { type MappedBucket, misplaced } from "../postgres/misplaced.ts";
import { StoreError } from "../store-error.ts";
import { bucketName } from "./bucket-ids.ts";
import { BucketMove, type BucketMoved } from "./bucket-move.ts";
import type { BucketProgress } from "./bucket-progress.ts";
import { BucketSide } from "./bucket-side.ts";
import { Cluster } from "./cluster.ts";
import { placementOf } from "./holding.ts";
import { lockMap, readMap } from "./home-map.ts";
import type { ServerConnection } from "./server-connection.ts";

export interface MoveBucketsOptions {
  /** Of all servers, by their names. */
  readonly urls: ReadonlyMap<string, string>;
  readonly buckets: readonly Bucket[];
  readonly report: (progress: BucketProgress) => void;
  readonly signal: AbortSignal;
}

/**
 * Moves buckets to a server, one after another; yields each when it is there, with undefined where it was there before.
 * What an earlier move has left behind is cleared away. Rejects with `StoreError`, and with `MismatchError` where both
 * sides do not have the same.
 */
export async function* moveBuckets(
  options: MoveBucketsOptions & { readonly target: string },
): AsyncGenerator<BucketMoved | undefined> {
  const cluster = await lockedCluster(options.urls);
  try {
    const target = cluster.server(options.target);
    for (const bucket of options.buckets) {
      const { server, movingTo } = await findBucket(cluster, bucket);
      const source = cluster.server(server);
      if (movingTo !== undefined && movingTo !== target.name)
        throw new StoreError(
          "occupied",
          `Bucket ${bucketName(bucket)} moves to ${movingTo} already: finish that, or undo it with --abort`,
        );
      const mover = randomUUID();
      await clearLeftOvers(cluster, bucket, mover, [source, target]);
      const move = { ...options, bucket, source, target, mover, home: cluster.home };
      yield source === target ? undefined : await new BucketMove(move).run();
    }
  } finally {
    await cluster.close();
  }
}

/** Undoes moves that were begun; yields whether there was one. Rejects with `StoreError`. */
export async function* abortMoves(options: MoveBucketsOptions): AsyncGenerator<boolean> {
  const cluster = await lockedCluster(options.urls);
  try {
    for (const bucket of options.buckets) {
      const { server, movingTo } = await findBucket(cluster, bucket);
      if (movingTo !== undefined) {
        const [source, target] = [cluster.server(server), cluster.server(movingTo)];
        const move = { ...options, bucket, source, target, mover: randomUUID(), home: cluster.home };
        await new BucketMove(move).abort();
      }
      yield movingTo !== undefined;
    }
  } finally {
    await cluster.close();
  }
}

async function lockedCluster(urls: ReadonlyMap<string, string>): Promise<Cluster> {
  const cluster = await Cluster.open(urls);
  try {
    await lockMap(cluster.home);
    return cluster;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

/** Throws `unsuitable` where the servers do not hold what the map says: no move has left that. */
async function findBucket({ home, servers }: Cluster, bucket: Bucket): Promise<MappedBucket> {
  const found = (await readMap(home)).find((one) => one.bucket === bucket);
  if (found === undefined)
    throw new StoreError("unsuitable", `The map at ${home.place} does not have bucket ${bucketName(bucket)}`);
  const holders: string[] = [];
  for (const { name, client, place } of servers.values())
    if ((await placementOf(client, place)).held.includes(bucket)) holders.push(name);
  const fault = misplaced(found, holders);
  if (fault !== undefined) throw new StoreError("unsuitable", fault);
  return found;
}

/** Rows on servers that gave the bucket up, where the mover did not come to the end. */
async function clearLeftOvers(
  { servers }: Cluster,
  bucket: Bucket,
  mover: string,
  inUse: readonly ServerConnection[],
): Promise<void> {
  for (const server of servers.values()) {
    if (inUse.includes(server)) continue;
    const side = new BucketSide(server, bucket, mover);
    const { isHeld, mark } = await side.takeOver();
    if (!isHeld && mark !== undefined) await side.clean();
  }
}
