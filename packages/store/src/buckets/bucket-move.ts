import { setTimeout as delay } from "node:timers/promises";
import { inTime } from "../copy/in-time.ts";
import type { Bucket } from "../postgres/bucket.ts";
import { StoreError } from "../store-error.ts";
import { BucketCopier } from "./bucket-copier.ts";
import { bucketName } from "./bucket-ids.ts";
import type { BucketPhase, BucketProgress } from "./bucket-progress.ts";
import { BucketSide, type SideState } from "./bucket-side.ts";
import { beginMove, cancelMove, endMove } from "./home-map.ts";
import type { ServerConnection } from "./server-connection.ts";

export interface BucketMoveOptions {
  readonly bucket: Bucket;
  readonly home: ServerConnection;
  readonly source: ServerConnection;
  readonly target: ServerConnection;
  /** Of this mover; no other one has it. */
  readonly mover: string;
  readonly report: (progress: BucketProgress) => void;
  /** Gives up, as long as writes go on at the source. */
  readonly signal: AbortSignal;
}

export interface BucketMoved {
  readonly bucket: Bucket;
  /** Copied this time as a whole, and again because they were written meanwhile. */
  readonly rows: number;
  readonly rowsAgain: number;
  /** How long writes waited; undefined where they did already when it began. */
  readonly heldMs: number | undefined;
}

/** Nobody waits longer for the last ones: nodes refuse writes after twice this. */
const restMsMax = 5_000;
const retryMs = 500;

/**
 * Moves a bucket, while nodes use it.
 *
 * 1. `copy`: the source notes what is written from now on; all rows are copied as they are at one moment.
 * 2. `follow`: what was written meanwhile is copied again, in rounds, until little is left.
 * 3. `compare`: all rows of both sides, a slice at a time, each at a moment up to which the target has followed.
 * 4. `freeze`: writes wait, reads go on. `rest`: the last rounds.
 * 5. `release`: the source gives the bucket up. From here on there is no way back. `hold`: the target takes it.
 *    `switch`: the map says so, and writes go on.
 * 6. `clean`: the rows on the source go.
 *
 * Killed at any moment, it goes on where it was, as both servers and the map tell; only `copy` begins anew. At no
 * moment two servers take writes: the target holds the bucket only after the source does not.
 */
export class BucketMove {
  readonly #options: BucketMoveOptions;
  readonly #source: BucketSide;
  readonly #target: BucketSide;
  readonly #copier: BucketCopier;
  #heldSince: number | undefined;

  constructor(options: BucketMoveOptions) {
    const { bucket, mover, report, signal } = options;
    const [source, target] = [options.source, options.target].map(
      (server) => new BucketSide(server, bucket, mover),
    ) as [BucketSide, BucketSide];
    this.#options = options;
    this.#source = source;
    this.#target = target;
    this.#copier = new BucketCopier({ bucket, source, target, report, signal });
  }

  async run(): Promise<BucketMoved> {
    const { home, bucket, target } = this.#options;
    await beginMove(home, bucket, target.name);
    const [here, there] = [await this.#source.takeOver(), await this.#target.takeOver()];
    if (!there.isHeld) {
      if (here.isHeld) await this.#bring(here.isFrozen);
      else this.#checkGiven(here, there);
      await this.#forward("hold", this.#target, async ({ isHeld }) => {
        if (!isHeld) await this.#target.hold();
      });
    }
    this.#copier.report("switch");
    await this.#untilDone(home, () => endMove(home, bucket, target.name));
    const heldMs = this.#heldSince === undefined ? undefined : performance.now() - this.#heldSince;
    this.#copier.report("clean");
    await this.#source.clean();
    return { bucket, rows: this.#copier.rows, rowsAgain: this.#copier.rowsAgain, heldMs };
  }

  /** Undoes what was begun. Rejects with `unsuitable` where the source has given the bucket up. */
  async abort(): Promise<void> {
    const { home, bucket, source } = this.#options;
    const here = await this.#source.takeOver();
    if (!here.isHeld)
      throw new StoreError(
        "unsuitable",
        `Bucket ${bucketName(bucket)} has left ${source.name} already: give the command without --abort, which finishes it`,
      );
    if (here.isFrozen) await this.#source.thaw();
    if (here.mark !== undefined) await this.#source.forget();
    const there = await this.#target.takeOver();
    if (there.mark !== undefined) await this.#target.clean();
    await cancelMove(home, bucket);
  }

  /** Everything gets to the target, and the source gives the bucket up. */
  async #bring(isFrozen: boolean): Promise<void> {
    const { signal } = this.#options;
    const move = await this.#source.begin();
    const isCopied = await this.#target.receive(move);
    await this.#copier.measure();
    if (!isFrozen || !isCopied) {
      // Frozen without a copy: the target has lost it.
      if (isFrozen) await this.#source.thaw();
      if (!isCopied) await this.#copier.copy();
      await this.#copier.follow();
      await this.#copier.compare();
      await this.#copier.follow();
      signal.throwIfAborted();
      this.#copier.report("freeze");
      this.#heldSince = await this.#source.freeze();
    }
    await this.#giveUp();
  }

  /** The source has given the bucket up before: the target must have all of it. */
  #checkGiven({ mark: here }: SideState, { mark: there }: SideState): void {
    const { bucket, source, target } = this.#options;
    if (here !== undefined && here.move === there?.move && there.copied) return;
    throw new StoreError(
      "unsuitable",
      `Neither ${source.name} nor ${target.name} holds bucket ${bucketName(bucket)}, and ${target.name} has not all of it: was one of the databases restored from a backup?`,
    );
  }

  /** Where it fails, writes go on at the source. */
  async #giveUp(): Promise<void> {
    const { source, target, bucket } = this.#options;
    const rest = (): Promise<void> => this.#copier.rest();
    try {
      this.#copier.report("rest");
      // Where it was found frozen, nobody waits any more: as long as it takes.
      await (this.#heldSince === undefined ? rest() : inTime(restMsMax, rest));
      await this.#forward("release", this.#source, async ({ isHeld }) => {
        if (isHeld) await this.#source.release();
      });
    } catch (error) {
      try {
        await Promise.all([source.reconnect(), target.reconnect()]);
        await this.#source.thaw();
      } catch (second) {
        throw new StoreError(
          "failed",
          `${messageOf(error)}. And writes to bucket ${bucketName(bucket)} still wait (${messageOf(second)}): give the command again, or with --abort`,
          error,
        );
      }
      throw error;
    }
  }

  /** A step that is taken until it is: nothing can go on before, and there is no way back. */
  async #forward(
    phase: BucketPhase,
    side: BucketSide,
    step: (state: SideState) => Promise<void>,
  ): Promise<void> {
    this.#copier.report(phase);
    await this.#untilDone(side.server, async () => step(await side.state()));
  }

  async #untilDone(server: ServerConnection, step: () => Promise<void>): Promise<void> {
    const { signal } = this.#options;
    for (;;) {
      try {
        if (server.isBroken) await server.reconnect();
        return await step();
      } catch (error) {
        if (!server.isBroken || signal.aborted) throw error;
        await delay(retryMs, undefined, { signal });
      }
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
