import type { ClientBase } from "pg";
import type { Bucket } from "../postgres/bucket.ts";
import { StoreError } from "../store-error.ts";
import { compareRows } from "./bucket-digest.ts";
import { bucketName, idsBetween, stepCount } from "./bucket-ids.ts";
import type { BucketPhase, BucketProgress } from "./bucket-progress.ts";
import { type Passing, passAll, passNoted } from "./bucket-rows.ts";
import type { BucketSide } from "./bucket-side.ts";
import { takeNotes } from "./changed-rows.ts";
import { markCopied } from "./move-mark.ts";
import { tableOf } from "./rows.ts";

export interface BucketCopierOptions {
  readonly bucket: Bucket;
  readonly source: BucketSide;
  readonly target: BucketSide;
  readonly report: (progress: BucketProgress) => void;
  /** What is under way rejects with its reason. */
  readonly signal: AbortSignal;
}

/** A round that takes so little time may be one for which writes wait. */
const roundMsMax = 500;
/** With so many, each over what was written during the last one, it must have become so little. */
const roundsMax = 50;
/** What is compared at once; a bucket that is no larger is compared once more when nothing is written. */
const sliceBytes = 32 * 1024 * 1024;
const slicesMax = 4096;
const reportEveryMs = 500;

/** Brings the rows of a bucket to the target, while the source notes which are written. */
export class BucketCopier {
  /** Copied as a whole, and again because they were written meanwhile. */
  rows = 0;
  rowsAgain = 0;
  readonly #options: BucketCopierOptions;
  #bytes = 0;
  #bytesTotal = 0;
  #phase: BucketPhase = "copy";
  #reportedAt = 0;

  constructor(options: BucketCopierOptions) {
    this.#options = options;
  }

  /** How large the bucket is, which the others go by. */
  async measure(): Promise<void> {
    const { bucket, source } = this.#options;
    this.#bytesTotal = await source.server.transaction(async (client) => {
      const { rows } = await client.query("SELECT pg_table_size($1)::float8 AS bytes", [
        tableOf("entries", bucket),
      ]);
      return rows[0].bytes;
    });
  }

  /** All rows, as they are at one moment. */
  async copy(): Promise<void> {
    const { bucket, source, target } = this.#options;
    this.report("copy");
    await source.work(
      () =>
        target.work(async (to) => {
          this.rows += await passAll(this.#passing);
          await markCopied(to, bucket);
        }),
      "REPEATABLE READ",
    );
  }

  /** What was written meanwhile, until little is left. Rejects with `overloaded` where it does not become little. */
  async follow(): Promise<void> {
    const { bucket, signal } = this.#options;
    this.report("follow");
    for (let rounds = 0; rounds < roundsMax; rounds++) {
      signal.throwIfAborted();
      const beganAt = performance.now();
      await this.#round();
      if (performance.now() - beganAt < roundMsMax) return;
    }
    throw new StoreError(
      "overloaded",
      `More is written to bucket ${bucketName(bucket)} than can be copied at the same time: try it when there is less to do; it goes on where it was`,
    );
  }

  /** All rows of both sides. Rejects with `MismatchError`. */
  async compare(): Promise<void> {
    const slices = this.#slices;
    this.#bytes = 0;
    for (let at = 0; at < slices; at++) {
      this.#options.signal.throwIfAborted();
      this.report("compare");
      await this.#round(at);
      this.#bytes += this.#bytesTotal / slices;
    }
  }

  /** What is left when nothing is written any more; a small bucket is compared as well. */
  rest(): Promise<void> {
    return this.#round(this.#slices === 1 ? 0 : undefined);
  }

  report(phase: BucketPhase): void {
    this.#phase = phase;
    this.#reportedAt = performance.now();
    const { bucket, report } = this.#options;
    report({ bucket, phase, bytes: this.#bytes, bytesTotal: this.#bytesTotal });
  }

  /**
   * What was noted is copied; then the target is as the source was at the moment of the transaction, and a slice of
   * both can be compared.
   */
  #round(slice?: number): Promise<void> {
    const { bucket, source, target } = this.#options;
    return source.work(async (from) => {
      const count = await takeNotes(from, bucket);
      if (count > 0) await target.work((to) => passNoted(to, this.#passing));
      this.rowsAgain += count;
      if (slice !== undefined) await target.work((to) => this.#compareSlice(slice, from, to));
    }, "REPEATABLE READ");
  }

  #compareSlice(slice: number, from: ClientBase, to: ClientBase): Promise<void> {
    const { bucket, source, target } = this.#options;
    const steps = stepCount / this.#slices;
    return compareRows(bucket, idsBetween(bucket, slice * steps, (slice + 1) * steps), [
      { name: source.server.name, client: from },
      { name: target.server.name, client: to },
    ]);
  }

  get #slices(): number {
    // A power of two, as the steps are.
    return Math.min(2 ** Math.ceil(Math.log2(Math.max(this.#bytesTotal / sliceBytes, 1))), slicesMax);
  }

  get #passing(): Passing {
    const { bucket, source, target, signal } = this.#options;
    const passed = (bytes: number): void => {
      this.#bytes += bytes;
      if (performance.now() - this.#reportedAt > reportEveryMs) this.report(this.#phase);
    };
    return { from: source.server, to: target.server, bucket, signal, passed };
  }
}
