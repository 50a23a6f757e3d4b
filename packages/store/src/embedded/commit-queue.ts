import type { Batch, CommitOutcome } from "@hongyan/core";
import { bytesOf } from "../batch-bytes.ts";
import { StoreError } from "../store-error.ts";

/** Appends and bytes that one write carries at most: larger ones gain nothing and delay the next. */
const groupAppendsMax = 8192;
const groupBytesMax = 4 * 1024 * 1024;

type Task =
  | {
      readonly kind: "commit";
      readonly batch: Batch;
      readonly bytes: number;
      readonly resolve: (outcome: CommitOutcome) => void;
      readonly reject: (error: unknown) => void;
    }
  | { readonly kind: "alone"; readonly run: () => Promise<void> };

type Commit = Extract<Task, { kind: "commit" }>;

/**
 * Group commit: one write at a time; all that arrives meanwhile is carried by the next one. So the disk's latency
 * sets how large groups become, and an idle store answers after one write.
 */
export class CommitQueue {
  readonly #bytesMax: number;
  readonly #commitGroup: (batches: readonly Batch[]) => Promise<CommitOutcome[]>;
  #waiting: Task[] = [];
  #bytes = 0;
  #running: Promise<void> | undefined;

  constructor(bytesMax: number, commitGroup: (batches: readonly Batch[]) => Promise<CommitOutcome[]>) {
    this.#bytesMax = bytesMax;
    this.#commitGroup = commitGroup;
  }

  commit(batch: Batch): Promise<CommitOutcome> {
    const bytes = bytesOf(batch);
    // A batch above the bound is taken by an empty queue: it must be possible to commit it at all.
    if (this.#bytes > 0 && this.#bytes + bytes > this.#bytesMax) {
      const error = new StoreError("overloaded", `More than ${this.#bytesMax} bytes wait to be written`);
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#bytes += bytes;
      this.#add({ kind: "commit", batch, bytes, resolve, reject });
    });
  }

  /** Runs `work` while nothing is committed, after what was asked for before it. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#add({ kind: "alone", run: () => work().then(resolve, reject) });
    });
  }

  /** Resolves once nothing waits. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #add(task: Task): void {
    this.#waiting.push(task);
    // After a turn of the microtask queue: commits of one tick share a group from the first one on.
    this.#running ??= Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      if (group.length > 0) {
        await this.#commit(group);
        continue;
      }
      const task = this.#waiting.shift();
      if (task?.kind === "alone") await task.run();
    }
    this.#running = undefined;
  }

  /** The commits at the front that fit into one write; none where another task is first. */
  #takeGroup(): Commit[] {
    const group: Commit[] = [];
    let appends = 0;
    let bytes = 0;
    for (const task of this.#waiting) {
      if (task.kind !== "commit") break;
      appends += task.batch.appends.length;
      bytes += task.bytes;
      if (group.length > 0 && (appends > groupAppendsMax || bytes > groupBytesMax)) break;
      group.push(task);
    }
    this.#waiting.splice(0, group.length);
    return group;
  }

  async #commit(group: readonly Commit[]): Promise<void> {
    try {
      const outcomes = await this.#commitGroup(group.map(({ batch }) => batch));
      for (let i = 0; i < group.length; i++) group[i]?.resolve(outcomes[i] as CommitOutcome);
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      for (const { bytes } of group) this.#bytes -= bytes;
    }
  }
}
