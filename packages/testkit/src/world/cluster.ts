import type { Backend, Cluster as ClusterOptions, Settings, Store } from "@hongyan/core";
import { MemoryBroker } from "@hongyan/core/memory";
import type { Disk } from "../disk/disk.ts";
import type { Link } from "../network/link.ts";
import type { Plan } from "../plan/plan.ts";
import type { Plant } from "../plants/plant.ts";
import type { Scheduler } from "../scheduler.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { ObservedStore } from "./observed-store.ts";
import { openStore } from "./open-store.ts";
import { remoteStore } from "./remote-store.ts";
import { ServerProcess } from "./server-process.ts";
import { SimBroker } from "./sim-broker.ts";
import type { Witness } from "./witness.ts";

export interface ClusterSurroundings {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly settings: Settings;
  readonly disk: Disk;
  readonly witness: Witness;
  readonly plant: Plant | undefined;
  readonly onWarning: (event: string, details: Record<string, unknown> | undefined) => void;
  readonly onFault: (error: unknown) => void;
}

/**
 * The servers of a world. One has its store in its process, and loses with it what was not durable. Several share a
 * store that lives elsewhere and tell each other through a broker; each of them may go and come alone.
 */
export class Cluster {
  readonly nodes: readonly ServerProcess[];
  readonly broker: SimBroker;
  readonly #around: ClusterSurroundings;
  readonly #random: SeededRandom;
  #shared: Promise<Store> | undefined;

  constructor(around: ClusterSurroundings) {
    const { plan, random, scheduler } = around;
    this.#around = around;
    this.#random = random.fork("balance");
    this.broker = new SimBroker(scheduler, random.fork("broker"), plan.broker);
    this.nodes = Array.from({ length: plan.nodes }, (_, index) =>
      plan.nodes === 1 ? this.#alone() : this.#one(index),
    );
  }

  /** Every server runs. */
  get isUp(): boolean {
    return this.nodes.every((node) => node.isUp);
  }

  start(): void {
    for (const node of this.nodes) node.start();
  }

  crash(): void {
    for (const node of this.nodes) node.crash();
  }

  heal(): void {
    this.broker.heal();
    this.start();
  }

  /** Through one of the servers that run. */
  backend(domain: string): Backend | undefined {
    return this.#pick()?.backend(domain);
  }

  /** A balancer sends the connection to one of the servers that run; false where there is none. */
  accept(link: Link): boolean {
    return this.#pick()?.accept(link) ?? false;
  }

  jumpClock(byMs: number): void {
    this.#random.pick(this.nodes).jumpClock(byMs);
  }

  crashNode(index: number, forMs: number): void {
    const node = this.#node(index);
    node.crash();
    this.#around.scheduler.after(forMs, () => node.start());
  }

  /** The broker is out of the node's reach for a while. Mostly the node notices. */
  cutBroker(index: number, forMs: number): void {
    const node = this.#node(index);
    this.broker.cut(node.name);
    const notices = this.#random.chance(0.5);
    this.#around.scheduler.after(forMs, () => {
      this.broker.mend(node.name);
      if (notices) node.missed();
    });
  }

  #node(index: number): ServerProcess {
    return this.nodes[index % this.nodes.length] as ServerProcess;
  }

  #pick(): ServerProcess | undefined {
    const up = this.nodes.filter((node) => node.isUp);
    return up.length > 1 ? this.#random.pick(up) : up[0];
  }

  /** The server of a world with one. */
  #alone(): ServerProcess {
    const { disk, scheduler, witness } = this.#around;
    return new ServerProcess({
      ...this.#around,
      name: "node",
      random: this.#around.random.fork("server"),
      cluster: undefined,
      openStore: async (life) => {
        if (life > 1) await witness.recover();
        return new ObservedStore(await openStore(disk, scheduler, () => witness.recover()), witness);
      },
      join: () => ({ broker: new MemoryBroker(), leave: () => undefined }),
      powerOff: () => disk.crash(),
    });
  }

  /** One of several servers. */
  #one(index: number): ServerProcess {
    const { plan, scheduler } = this.#around;
    const random = this.#around.random.fork(`server ${index}`);
    const cluster: ClusterOptions = { repairEveryMs: plan.repairEveryMs };
    const way = random.fork("way to the store");
    const travel = (): Promise<void> =>
      new Promise((resolve) => scheduler.after(way.fraction() * plan.storeLatencyMsMax, resolve));
    return new ServerProcess({
      ...this.#around,
      name: `node${index}.`,
      random,
      cluster,
      openStore: async (_life, isAlive) => remoteStore(await this.#store(), isAlive, travel),
      join: (name) => this.broker.join(name),
      powerOff: () => undefined,
    });
  }

  #store(): Promise<Store> {
    const { disk, scheduler, witness } = this.#around;
    this.#shared ??= openStore(disk, scheduler, () => witness.recover()).then(
      (store) => new ObservedStore(store, witness),
    );
    return this.#shared;
  }
}
