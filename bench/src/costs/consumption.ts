import { setTimeout as sleep } from "node:timers/promises";
import type { Engines, Nodes } from "../distribution/system.ts";
import { cpuMs } from "../process/cpu.ts";
import { memoryOf } from "../process/memory.ts";
import { treeCpuMs } from "../process/process-tree.ts";

/** What nodes and engines have used: totals, or the part of one piece of work. */
export interface Consumption {
  /** Milliseconds of CPU of all nodes together, of PostgreSQL, of NATS. */
  readonly nodesMs: number;
  readonly postgresMs: number;
  readonly natsMs: number;
  /** What PostgreSQL has written to its log. */
  readonly walBytes: number;
  /** What NATS has sent: between machines, the network would carry it. */
  readonly natsBytes: number;
  /** Memory that NATS has taken. */
  readonly natsHeldBytes: number;
}

export type Resource = keyof Consumption;

const resources: readonly Resource[] = [
  "nodesMs",
  "postgresMs",
  "natsMs",
  "walBytes",
  "natsBytes",
  "natsHeldBytes",
];
const settleMs = 2000;
const idleMs = 3000;

/**
 * Measures what work uses beyond what the same processes use without it. The kernel counts CPU in steps of 10 ms: work
 * should take seconds.
 */
export class Meter {
  readonly #engines: Engines;
  readonly #nodes: Nodes;
  /** Of each millisecond in which nothing was asked for. */
  #idle: Consumption = map(() => 0);

  /** Of nodes that nobody is connected to yet. */
  static async of(engines: Engines, nodes: Nodes): Promise<Meter> {
    const meter = new Meter(engines, nodes);
    await sleep(settleMs);
    const idle = await meter.between(idleMs);
    meter.#idle = map((resource) => idle[resource] / idleMs);
    return meter;
  }

  private constructor(engines: Engines, nodes: Nodes) {
    this.#engines = engines;
    this.#nodes = nodes;
  }

  /** Work that goes on by itself, for so long. */
  between(ms: number): Promise<Consumption> {
    return this.during(() => sleep(ms));
  }

  async during(work: () => Promise<unknown>): Promise<Consumption> {
    const before = await this.#read();
    const beganMs = performance.now();
    await work();
    const ms = performance.now() - beganMs;
    const after = await this.#read();
    return map((resource) => Math.max(0, after[resource] - before[resource] - this.#idle[resource] * ms));
  }

  async #read(): Promise<Consumption> {
    const { postgres, nats } = this.#engines;
    return {
      nodesMs: this.#nodes.reduce((sum, { pid }) => sum + cpuMs(pid), 0),
      postgresMs: treeCpuMs(postgres.pid),
      natsMs: nats === undefined ? 0 : cpuMs(nats.pid),
      walBytes: Number(await postgres.sql("SELECT pg_current_wal_lsn() - '0/0'")),
      natsBytes: nats === undefined ? 0 : await nats.sentBytes(),
      natsHeldBytes: nats === undefined ? 0 : memoryOf(nats.pid).rss,
    };
  }
}

function map(value: (resource: Resource) => number): Consumption {
  return Object.fromEntries(
    resources.map((resource) => [resource, value(resource)]),
  ) as unknown as Consumption;
}
