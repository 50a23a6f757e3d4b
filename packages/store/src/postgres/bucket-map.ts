import { type Bucket, bucketOf } from "./bucket.ts";
import { RolledBack } from "./errors.ts";
import { readPlacement } from "./placement.ts";
import type { Server } from "./server.ts";

/** A server as it was when the map was read. */
export interface MappedServer {
  readonly server: Server;
  /** Of its placement: what it holds by this map is true as long as that does not change. */
  readonly version: number;
}

/** Which server holds which bucket, as the servers themselves say. Never changed: another one is read. */
export class BucketMap {
  /** In the order in which transactions lock; home is the last. */
  readonly servers: readonly MappedServer[];
  readonly #holders = new Map<Bucket, MappedServer>();
  readonly #frozen = new Set<Bucket>();

  static async read(servers: readonly Server[]): Promise<BucketMap> {
    const rows = await Promise.all(servers.map(({ readers }) => readers.run(readPlacement, [])));
    return new BucketMap(
      servers.map((server, at) => {
        const [version, held, frozen] = rows[at]?.[0] ?? [];
        return { server, version: Number(version), held: numbers(held), frozen: numbers(frozen) };
      }),
    );
  }

  private constructor(
    placements: readonly (MappedServer & { readonly held: Bucket[]; readonly frozen: Bucket[] })[],
  ) {
    this.servers = placements.map(({ server, version }) => ({ server, version }));
    placements.forEach(({ held, frozen }, at) => {
      for (const bucket of held) this.#holders.set(bucket, this.servers[at] as MappedServer);
      for (const bucket of frozen) this.#frozen.add(bucket);
    });
  }

  get home(): MappedServer {
    return this.servers.at(-1) as MappedServer;
  }

  /** Throws `RolledBack` while a bucket is on its way. */
  holderOf(log: string): MappedServer {
    return this.holder(bucketOf(log));
  }

  holder(bucket: Bucket): MappedServer {
    const holder = this.#holders.get(bucket);
    if (holder === undefined) throw new RolledBack(`Bucket ${bucket.toString(16)} moves`);
    return holder;
  }

  /** To write to. Throws `RolledBack` also while the bucket takes no writes. */
  writtenHolderOf(log: string): MappedServer {
    const bucket = bucketOf(log);
    if (this.#frozen.has(bucket)) throw new RolledBack(`Bucket ${bucket.toString(16)} takes no writes`);
    return this.holder(bucket);
  }
}

function numbers(json: unknown): number[] {
  return JSON.parse(String(json));
}
