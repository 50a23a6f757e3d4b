import { type Bucket, bucketOf } from "./bucket.ts";
import { RolledBack } from "./errors.ts";
import { heldTwice } from "./misplaced.ts";
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
  /** Of the servers, when it was read. */
  readonly #recoveries: number;
  readonly #holders = new Map<Bucket, MappedServer>();
  readonly #frozen = new Set<Bucket>();
  /** What is wrong with a bucket that more than one server takes for its own. */
  readonly #faults = new Map<Bucket, string>();

  static async read(servers: readonly Server[]): Promise<BucketMap> {
    const recoveries = recoveriesOf(servers.map((server) => ({ server })));
    const rows = await Promise.all(servers.map(({ readers }) => readers.run(readPlacement, [])));
    return new BucketMap(
      recoveries,
      servers.map((server, at) => {
        const [version, held, frozen] = rows[at]?.[0] ?? [];
        return { server, version: Number(version), held: numbers(held), frozen: numbers(frozen) };
      }),
    );
  }

  private constructor(
    recoveries: number,
    placements: readonly (MappedServer & { readonly held: Bucket[]; readonly frozen: Bucket[] })[],
  ) {
    this.#recoveries = recoveries;
    this.servers = placements.map(({ server, version }) => ({ server, version }));
    placements.forEach(({ held, frozen }, at) => {
      for (const bucket of held) {
        const mapped = this.servers[at] as MappedServer;
        const other = this.#holders.get(bucket);
        if (other !== undefined)
          this.#faults.set(bucket, heldTwice(bucket, [other.server.name, mapped.server.name]));
        this.#holders.set(bucket, mapped);
      }
      for (const bucket of frozen) this.#frozen.add(bucket);
    });
  }

  get home(): MappedServer {
    return this.servers.at(-1) as MappedServer;
  }

  /** Throws `RolledBack` while a bucket is on its way, and where two servers hold it: one of them has old data. */
  holderOf(log: string): MappedServer {
    return this.holder(bucketOf(log));
  }

  holder(bucket: Bucket): MappedServer {
    const fault = this.#faults.get(bucket);
    if (fault !== undefined) throw new RolledBack(fault);
    const holder = this.#holders.get(bucket);
    if (holder === undefined) throw new RolledBack(`Bucket ${bucket.toString(16)} moves`);
    return holder;
  }

  /**
   * To write to. Throws `RolledBack` also while the bucket takes no writes, and where a server was away since the map was
   * read: it may be an older copy of itself by now, whose version means something else.
   */
  writtenHolderOf(log: string): MappedServer {
    if (recoveriesOf(this.servers) !== this.#recoveries) throw new RolledBack("A server was away");
    const bucket = bucketOf(log);
    if (this.#frozen.has(bucket)) throw new RolledBack(`Bucket ${bucket.toString(16)} takes no writes`);
    return this.holder(bucket);
  }
}

function recoveriesOf(servers: readonly Pick<MappedServer, "server">[]): number {
  return servers.reduce((sum, { server }) => sum + server.counted.recoveries, 0);
}

function numbers(json: unknown): number[] {
  return JSON.parse(String(json));
}
