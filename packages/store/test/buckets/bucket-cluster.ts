import type { Bucket, BucketMoved, BucketPhase } from "@hongyan/store/buckets";
import { abortMoves, moveBuckets } from "@hongyan/store/buckets";
import { PlacedStore } from "@hongyan/store/postgres";
import type { PostgresServer } from "@hongyan/testkit/postgres";
import { parseAddress } from "../../src/postgres/address.ts";
import { PostgresSource } from "../../src/postgres/copy-source.ts";
import { Writer } from "../../src/postgres/writer.ts";
import { contentsOf } from "../copy/contents.ts";
import { query } from "../postgres/databases.ts";

/** Databases that are the servers of a cluster; all buckets are at home. */
export class BucketCluster {
  readonly urls: ReadonlyMap<string, string>;

  /** `names`: of the servers beside home. */
  static async make(server: PostgresServer, names: readonly string[]): Promise<BucketCluster> {
    const urls = new Map<string, string>();
    for (const name of ["home", ...names]) urls.set(name, await server.createDatabase("STRATEGY file_copy"));
    const cluster = new BucketCluster(urls);
    await (await cluster.open()).close();
    return cluster;
  }

  private constructor(urls: ReadonlyMap<string, string>) {
    this.urls = urls;
  }

  /** A node's store. */
  open(): Promise<PlacedStore> {
    const servers = new Map([...this.urls].filter(([name]) => name !== "home"));
    return PlacedStore.open({ url: this.url("home"), servers, poolMax: 4 });
  }

  url(name: string): string {
    return this.urls.get(name) as string;
  }

  /** `at` is called when a phase begins. */
  async move(
    buckets: readonly Bucket[],
    target: string,
    at: (phase: BucketPhase) => void = () => {},
  ): Promise<(BucketMoved | undefined)[]> {
    const { urls } = this;
    let last: BucketPhase | undefined;
    const report = ({ phase }: { readonly phase: BucketPhase }): void => {
      if (phase !== last) at(phase);
      last = phase;
    };
    return Array.fromAsync(
      moveBuckets({ urls, buckets, target, report, signal: new AbortController().signal }),
    );
  }

  async abort(...buckets: readonly Bucket[]): Promise<boolean[]> {
    const { urls } = this;
    return Array.fromAsync(
      abortMoves({ urls, buckets, report: () => {}, signal: new AbortController().signal }),
    );
  }

  /** All that is on a server, as lines. */
  async contents(name: string): Promise<string[]> {
    const writer = await Writer.connect(parseAddress(this.url(name)).config, () => {});
    try {
      return await contentsOf(new PostgresSource("", writer), "");
    } finally {
      await writer.close();
    }
  }

  /** Tables, functions and triggers that moves have made there. */
  async traces(name: string): Promise<string[]> {
    const rows = await query(
      this.url(name),
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'hongyan'::regnamespace AND relname ~ '^(move|changed)_'
       UNION SELECT proname FROM pg_proc WHERE pronamespace = 'hongyan'::regnamespace
       UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY name`,
    );
    return rows.map((row) => String(row.name));
  }
}
