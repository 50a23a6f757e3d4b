import type { Batch, CommitOutcome } from "@hongyan/core";
import { bytesOf } from "../batch-bytes.ts";
import { StoreError } from "../store-error.ts";
import { joined, partsOf } from "./parts.ts";

/** Appends and bytes that one transaction carries at most: larger ones gain nothing and delay the next. */
const groupAppendsMax = 8192;
const groupBytesMax = 4 * 1024 * 1024;

/** A set of lanes, as bits. */
type Lanes = number;

type Task =
  | {
      readonly kind: "commit";
      readonly lanes: Lanes;
      readonly batch: Batch;
      readonly bytes: number;
      readonly resolve: (outcome: CommitOutcome) => void;
      readonly reject: (error: unknown) => void;
    }
  | { readonly kind: "alone"; readonly lanes: Lanes; readonly run: (lane: number) => Promise<void> };

export interface CommitLanesOptions {
  /** How many transactions run side by side; at most 16. */
  readonly count: number;
  /** Bytes that may wait; more is refused as `overloaded`. */
  readonly bytesMax: number;
  readonly commitGroup: (lane: number, batches: readonly Batch[]) => Promise<CommitOutcome[]>;
}

/**
 * Group commit in several lanes. Every log and every record belongs to one lane by its hash; a batch occupies all the
 * lanes that it touches, and what arrives for them meanwhile forms the next group. So transactions of one node never
 * wait for each other's locks, and batches that touch the same thing take effect in the order in which they came. A
 * batch is one transaction however many lanes it touches, unless it may be committed in parts.
 */
export class CommitLanes {
  readonly #options: CommitLanesOptions;
  readonly #all: Lanes;
  #waiting: Task[] = [];
  #bytes = 0;
  #busy: Lanes = 0;
  #isScheduled = false;
  #idle: (() => void)[] = [];

  constructor(options: CommitLanesOptions) {
    this.#options = options;
    this.#all = (1 << options.count) - 1;
  }

  commit(batch: Batch): Promise<CommitOutcome> {
    const { bytesMax } = this.#options;
    const bytes = bytesOf(batch);
    // A batch above the bound is taken by an empty queue: it must be possible to commit it at all.
    if (this.#bytes > 0 && this.#bytes + bytes > bytesMax) {
      const error = new StoreError("overloaded", `More than ${bytesMax} bytes wait to be written`);
      return Promise.reject(error);
    }
    const parts = partsOf(batch, (log) => this.#laneOf(log));
    if (parts === undefined) return this.#commitIn(this.#lanesOf(batch), batch, bytes);
    const committed = [...parts].map(([lane, { batch: part }]) => this.#commitIn(lane, part, bytesOf(part)));
    return Promise.all(committed).then((outcomes) => joined(batch, parts, outcomes));
  }

  #commitIn(lanes: Lanes, batch: Batch, bytes: number): Promise<CommitOutcome> {
    return new Promise((resolve, reject) => {
      this.#bytes += bytes;
      this.#add({ kind: "commit", lanes, batch, bytes, resolve, reject });
    });
  }

  /** Runs `work` while nothing is committed that touches the log, after what was asked for before it. */
  alone<T>(log: string, work: (lane: number) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#add({ kind: "alone", lanes: this.#laneOf(log), run: (lane) => work(lane).then(resolve, reject) });
    });
  }

  /** Resolves once nothing waits. */
  async idle(): Promise<void> {
    if (this.#busy === 0 && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #add(task: Task): void {
    this.#waiting.push(task);
    // What waits for a lane is looked at when that is free, and not each time that something comes.
    if (this.#isScheduled || (task.lanes & this.#busy) !== 0) return;
    this.#isScheduled = true;
    // After a turn of the microtask queue: commits of one tick share a group from the first one on.
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#start();
    });
  }

  #start(): void {
    while (this.#busy !== this.#all) {
      const group = this.#takeGroup();
      if (group.length === 0) break;
      void this.#run(group);
    }
    if (this.#busy === 0 && this.#waiting.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /**
   * The first task whose lanes are free, and those after it that share lanes with it. Whatever stays behind keeps
   * its lanes from those that came later.
   */
  #takeGroup(): Task[] {
    const group: Task[] = [];
    const left: Task[] = [];
    let taken: Lanes = 0;
    let blocked: Lanes = this.#busy;
    let appends = 0;
    let bytes = 0;
    let at = 0;
    for (; at < this.#waiting.length && blocked !== this.#all; at++) {
      const task = this.#waiting[at] as Task;
      const isFree = (task.lanes & blocked) === 0;
      const joins = group.length === 0 || ((task.lanes & taken) !== 0 && fits(task, group, appends, bytes));
      if (!isFree || !joins) {
        blocked |= task.lanes;
        left.push(task);
        continue;
      }
      group.push(task);
      taken |= task.lanes;
      if (task.kind === "alone") continue;
      appends += task.batch.appends.length;
      bytes += task.bytes;
    }
    if (group.length > 0) this.#waiting = [...left, ...this.#waiting.slice(at)];
    return group;
  }

  async #run(group: readonly Task[]): Promise<void> {
    const lanes = group.reduce((all, task) => all | task.lanes, 0);
    // Groups that run have no lane in common, so that the lowest is nobody else's.
    const lane = 31 - Math.clz32(lanes & -lanes);
    this.#busy |= lanes;
    const [first] = group;
    if (first?.kind === "alone") await first.run(lane);
    else
      await this.#commit(
        lane,
        group.filter((task) => task.kind === "commit"),
      );
    this.#busy &= ~lanes;
    this.#start();
  }

  async #commit(lane: number, group: readonly Extract<Task, { kind: "commit" }>[]): Promise<void> {
    try {
      const outcomes = await this.#options.commitGroup(
        lane,
        group.map(({ batch }) => batch),
      );
      for (let i = 0; i < group.length; i++) group[i]?.resolve(outcomes[i] as CommitOutcome);
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      for (const { bytes } of group) this.#bytes -= bytes;
    }
  }

  #lanesOf({ appends, advances, puts }: Batch): Lanes {
    let lanes: Lanes = 0;
    for (const { log } of appends) {
      if (lanes === this.#all) return lanes;
      lanes |= this.#laneOf(log);
    }
    for (const { log } of advances) {
      if (lanes === this.#all) return lanes;
      lanes |= this.#laneOf(log);
    }
    for (const { key } of puts) {
      if (lanes === this.#all) return lanes;
      lanes |= this.#laneOf(key);
    }
    // A batch of nothing comes after all that was asked for before it.
    return lanes === 0 ? this.#all : lanes;
  }

  #laneOf(name: string): Lanes {
    return 1 << (hashOf(name) % this.#options.count);
  }
}

/** Whether a task may join a group: both of commits, and not too many. */
function fits(task: Task, group: readonly Task[], appends: number, bytes: number): boolean {
  if (task.kind !== "commit" || group[0]?.kind !== "commit") return false;
  return appends + task.batch.appends.length <= groupAppendsMax && bytes + task.bytes <= groupBytesMax;
}

/** FNV-1a over UTF-16 units: spreads names, and costs a tenth of their SHA-256. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
