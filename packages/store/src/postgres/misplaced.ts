import { setTimeout as delay } from "node:timers/promises";
import { StoreError } from "../store-error.ts";
import type { Bucket } from "./bucket.ts";
import { readPlacement } from "./placement.ts";
import type { Server } from "./server.ts";
import type { Statement } from "./writer.ts";

/** Which server a bucket is on, as home says. */
export interface MappedBucket {
  readonly bucket: Bucket;
  readonly server: string;
  /** Where it is being moved. */
  readonly movingTo: string | undefined;
}

/** So long what does not fit together may be a move that is just being switched. */
const switchMsMax = 2_000;
const retryMs = 100;

const readMap: Statement = {
  name: "map",
  text: "SELECT bucket, server, moving_to FROM hongyan.buckets ORDER BY bucket",
};

/**
 * What is wrong with a bucket, in words: undefined where one server holds it, and that is the one that the map names. While
 * it moves it may be either of two, and for a moment none. No move leaves anything else, whenever it is killed: a
 * database has been restored, or replaced by a new one.
 */
export function misplaced(
  { bucket, server, movingTo }: MappedBucket,
  holders: readonly string[],
): string | undefined {
  if (holders.length > 1) return heldTwice(bucket, holders);
  const [holder] = holders;
  const isRight = holder === undefined ? movingTo !== undefined : holder === server || holder === movingTo;
  if (isRight) return undefined;
  return `Bucket ${bucket.toString(16)} is on ${server} by the map of home, and held by ${holder ?? "none"}: was a server restored from a backup, or replaced?`;
}

export function heldTwice(bucket: Bucket, holders: readonly string[]): string {
  return `Bucket ${bucket.toString(16)} is held by ${holders.join(" and ")}: was one of them restored from a backup?`;
}

/** Throws `unsuitable` where the servers do not hold what the map says. `servers`: home is the last. */
export async function refuseMisplaced(servers: readonly Server[]): Promise<void> {
  const until = performance.now() + switchMsMax;
  for (;;) {
    const fault = await faultOf(servers);
    if (fault === undefined) return;
    if (performance.now() > until) throw new StoreError("unsuitable", fault);
    await delay(retryMs);
  }
}

async function faultOf(servers: readonly Server[]): Promise<string | undefined> {
  const map = (await servers.at(-1)?.readers.run(readMap, [])) ?? [];
  const held = await Promise.all(
    servers.map(async ({ name, readers }) => {
      const [placement] = await readers.run(readPlacement, []);
      return { name, buckets: JSON.parse(String(placement?.[1])) as Bucket[] };
    }),
  );
  for (const [number, server, movingTo] of map) {
    const bucket = Number(number);
    const holders = held.filter(({ buckets }) => buckets.includes(bucket)).map(({ name }) => name);
    const fault = misplaced(
      { bucket, server: String(server), movingTo: movingTo === null ? undefined : String(movingTo) },
      holders,
    );
    if (fault !== undefined) return fault;
  }
  return undefined;
}
