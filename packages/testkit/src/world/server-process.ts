import {
  type Authenticator,
  type Backend,
  type Broker,
  type Cluster,
  type Connection,
  Node,
  type NodeEvent,
  type Settings,
  type Store,
} from "@hongyan/core";
import { ProtocolError } from "@hongyan/protocol";
import type { Link } from "../network/link.ts";
import type { Plant } from "../plants/plant.ts";
import type { Scheduler } from "../scheduler.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { SimClock } from "./sim-clock.ts";

const tickMs = 100;

export interface ServerOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly settings: Settings;
  readonly cluster: Cluster | undefined;
  /** What one life of the server finds. */
  readonly openStore: (life: number, isAlive: () => boolean) => Promise<Store>;
  readonly join: (name: string) => { readonly broker: Broker<NodeEvent>; leave(): void };
  /** What goes with the process. */
  readonly powerOff: () => void;
  readonly plant: Plant | undefined;
  readonly onWarning: (event: string, details: Record<string, unknown> | undefined) => void;
  readonly onFault: (error: unknown) => void;
}

type State =
  | { readonly name: "down" }
  | { readonly name: "starting"; readonly life: number }
  | {
      readonly name: "up";
      readonly life: number;
      readonly node: Node;
      readonly clock: SimClock;
      readonly leave: () => void;
    };

/** One server process: the production node over the production store. It can be killed at any step. */
export class ServerProcess {
  readonly name: string;
  readonly #options: ServerOptions;
  #state: State = { name: "down" };
  #lives = 0;
  #skewMs = 0;
  #links = new Set<Link>();

  constructor(options: ServerOptions) {
    this.#options = options;
    this.name = options.name;
  }

  get isUp(): boolean {
    return this.#state.name === "up";
  }

  get lives(): number {
    return this.#lives;
  }

  get statistics(): Node["statistics"] | undefined {
    return this.#state.name === "up" ? this.#state.node.statistics : undefined;
  }

  backend(domain: string): Backend | undefined {
    return this.#state.name === "up" ? this.#state.node.backend(domain) : undefined;
  }

  /** What a start does: opens what the disk has, and listens. */
  start(): void {
    if (this.#state.name !== "down") return;
    const life = ++this.#lives;
    this.#state = { name: "starting", life };
    this.#boot(life).catch((error: unknown) => {
      if (this.#isAlive(life)) this.#options.onFault(error);
    });
  }

  async #boot(life: number): Promise<void> {
    const { name, random, settings, scheduler, cluster, plant, openStore, join, onWarning } = this.#options;
    const store = await openStore(life, () => this.#isAlive(life));
    if (!this.#isAlive(life)) return;
    const clock = new SimClock(scheduler, this.#skewMs);
    const { broker, leave } = join(name);
    const node = new Node({
      name: `${name}${life}`,
      store: plant?.store?.(store) ?? store,
      broker: plant?.broker?.(broker) ?? broker,
      clock,
      random: random.fork(`life ${life}`),
      journal: { info: () => {}, warn: onWarning },
      authenticator,
      settings,
      cluster: plant?.cluster === undefined ? cluster : cluster && plant.cluster(cluster),
    });
    this.#state = { name: "up", life, node, clock, leave };
    this.#tick(life, node);
  }

  #tick(life: number, node: Node): void {
    this.#options.scheduler.after(tickMs, () => {
      if (!this.#isAlive(life)) return;
      node.tick();
      this.#tick(life, node);
    });
  }

  #isAlive(life: number): boolean {
    return this.#state.name !== "down" && this.#state.life === life;
  }

  /** Power off: memory is gone, a disk has what it has, connections break without a word. */
  crash(): void {
    if (this.#state.name === "down") return;
    if (this.#state.name === "up") {
      this.#state.clock.stop();
      this.#state.leave();
    }
    this.#state = { name: "down" };
    this.#options.powerOff();
    const { random } = this.#options;
    for (const link of this.#links) {
      link.forget("server");
      link.cut(random.pick([1, 20, 2_000]), undefined);
    }
    this.#links.clear();
  }

  /** False where nobody listens. */
  accept(link: Link): boolean {
    if (this.#state.name !== "up") return false;
    const { node } = this.#state;
    const { plant } = this.#options;
    const direct: Connection = {
      encoding: link.encoding,
      transport: "websocket",
      get bufferedBytes() {
        return link.queuedBytes;
      },
      write: (frame) => link.serverWrite(frame),
      close: (code, retryAfterMs) => link.serverClose(code, retryAfterMs),
    };
    const connection = plant?.connection?.(direct, link.device) ?? direct;
    const accepted = node.accept(connection);
    const inbound = plant?.inbound?.(accepted, link.device, connection) ?? accepted;
    this.#links.add(link);
    link.attachServer({
      frame: (frame) => inbound.receive(frame),
      bad: (id, error, fatal) => {
        inbound.reject(id, error);
        if (fatal) direct.close("bad_frame");
      },
      drained: () => inbound.drained(),
      closed: () => {
        this.#links.delete(link);
        inbound.closed();
      },
    });
    return true;
  }

  jumpClock(byMs: number): void {
    this.#skewMs += byMs;
    if (this.#state.name === "up") this.#state.clock.skewMs = this.#skewMs;
  }

  /** The broker tells that it was away. */
  missed(): void {
    if (this.#state.name === "up") this.#state.node.missed();
  }
}

/** Tokens of the simulation say whose they are: signatures are tested where they are made. */
const authenticator: Authenticator = {
  async verify(token) {
    const [domain, user] = token.split("/");
    if (domain === undefined || user === undefined) throw new ProtocolError("unauthorized");
    return { domain, user, expiresAt: Number.MAX_SAFE_INTEGER };
  },
};
