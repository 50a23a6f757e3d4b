/**
 * A Hongyan server, for the command line and for embedding in any Node process: it takes no signals, ends no
 * process and keeps no state outside itself, so that one process can hold several.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Backend, type Journal, Node, type Statistics, type Store } from "@hongyan/core";
import { type KeyRing, openKeyRing } from "./auth/key-ring.ts";
import { mintToken, type Token, tokenAuthenticator } from "./auth/tokens.ts";
import { resolveConfig } from "./config/resolve.ts";
import type { Config, ConfigInput } from "./config/schema.ts";
import { demoDomain, demoUsers, seedDemo } from "./demo/demo-domain.ts";
import { openTenants, refuseWithoutKeys, type Tenants } from "./demo/demo-mode.ts";
import { type Address, Doors } from "./doors.ts";
import { Migrations } from "./migration/migrations.ts";
import { systemClock } from "./process/clock.ts";
import { openDataDirectory } from "./process/data-directory.ts";
import { drainTimeMs } from "./process/drain-time.ts";
import { type Joint, type Keeping, openJoint, openStore } from "./process/engines.ts";
import { openJournal } from "./process/journal.ts";
import { systemRandom } from "./process/random.ts";

const tickEveryMs = 100;
/** What a drain may take beyond the time that its rate says. */
const overdueMs = 3_000;

/** Parts that the embedding program brings itself. */
export interface Parts {
  /** Where the log lines go instead of standard error. */
  readonly journal?: Journal | undefined;
  /** Durable state instead of what the configuration names; the server closes it. */
  readonly store?: Store | undefined;
}

export interface SignInLink {
  readonly user: string;
  readonly name: string;
  readonly url: string;
}

/**
 * Opens the store and everything behind the doors; `listen` opens the doors. Rejects with `ConfigurationError` or
 * `StartError`, both with a message for people; then nothing is left open.
 */
export async function createServer(options: ConfigInput = {}, parts: Parts = {}): Promise<Server> {
  const { config } = resolveConfig({ options });
  refuseWithoutKeys(config);
  // A node on PostgreSQL keeps nothing there, but for the keys of a demo.
  if (config.postgres.url === "" || Object.keys(config.domains).length === 0)
    await openDataDirectory(config.data);
  const journal = parts.journal ?? openJournal(config.log);
  const keeping = parts.store === undefined ? await openStore(config, journal) : { store: parts.store };
  const { store } = keeping;
  let joint: Joint | undefined;
  try {
    let server: Server | undefined;
    joint = await openJoint(config, store.epoch, journal, () => server?.missed());
    const tenants = await openTenants(config);
    const keyRing = await openKeyRing(tenants.domains);
    server = new Server({ config, tenants, keyRing, keeping, joint, journal });
    await server.open();
    return server;
  } catch (error) {
    await Promise.allSettled([joint?.close(), store.close()]);
    throw error;
  }
}

type State =
  | { readonly phase: "closed" }
  | { readonly phase: "open"; readonly ticks: NodeJS.Timeout }
  | { readonly phase: "listening"; readonly ticks: NodeJS.Timeout; readonly address: Address }
  | { readonly phase: "closing"; readonly done: Promise<void> };

interface ServerParts {
  readonly config: Config;
  readonly tenants: Tenants;
  readonly keyRing: KeyRing;
  readonly keeping: Keeping;
  readonly joint: Joint;
  readonly journal: Journal;
}

export class Server {
  readonly #config: Config;
  readonly #tenants: Tenants;
  readonly #keyRing: KeyRing;
  readonly #store: Store;
  readonly #place: string | undefined;
  readonly #joint: Joint;
  readonly #journal: Journal;
  readonly #node: Node;
  readonly #doors: Doors;
  readonly #migrations: Migrations | undefined;
  #state: State = { phase: "closed" };

  /** Use `createServer`. */
  constructor({ config, tenants, keyRing, keeping, joint, journal }: ServerParts) {
    const clock = systemClock();
    const { store, postgres, movable } = keeping;
    this.#config = config;
    this.#tenants = tenants;
    this.#keyRing = keyRing;
    this.#store = store;
    this.#place = keeping.place;
    this.#joint = joint;
    this.#journal = journal;
    this.#node = new Node({
      name: config.node,
      store,
      broker: joint.broker,
      // Others may use the same database, joined by NATS or not.
      cluster: config.postgres.url === "" ? undefined : { repairEveryMs: config.repairEveryMs },
      clock,
      random: systemRandom,
      journal,
      authenticator: tokenAuthenticator({
        keyRing,
        lifetimeMsMax: config.tokenLifetimeMsMax,
        now: clock.now,
      }),
      settings: config,
    });
    this.#doors = new Doors({
      config,
      domains: tenants.domains,
      node: this.#node,
      store,
      postgres,
      joint,
      journal,
      mintToken: (domain, user, lifetimeMs) => this.mintToken(domain, user, lifetimeMs),
    });
    const shared = (): void => this.#node.share({ repairEveryMs: config.repairEveryMs });
    this.#migrations = movable && new Migrations({ movable, config, journal, shared });
  }

  /** Makes everything ready behind the doors; called by `createServer`. */
  async open(): Promise<void> {
    await this.#doors.build();
    if (this.#tenants.isDemo) await seedDemo(this.backend(demoDomain));
    await this.#migrations?.open();
    this.#state = { phase: "open", ticks: setInterval(() => this.#tick(), tickEveryMs) };
  }

  #tick(): void {
    this.#node.tick();
    this.#doors.tick();
  }

  /** Opens the doors. Rejects with `StartError` where a port is not to be had; then `close` is still due. */
  async listen(): Promise<Address> {
    if (this.#state.phase !== "open") throw new Error(`cannot listen: the server is ${this.#state.phase}`);
    const { ticks } = this.#state;
    const address = await this.#doors.listen();
    if (this.#state.phase !== "open") return address;
    this.#state = { phase: "listening", ticks, address };
    this.#journal.info("listening", { ...address, store: this.#place, epoch: this.#store.epoch });
    return address;
  }

  /** Where the server listens; undefined before `listen`. */
  get address(): Address | undefined {
    return this.#state.phase === "listening" ? this.#state.address : undefined;
  }

  /** Events of other nodes may have been lost. */
  missed(): void {
    this.#node.missed();
  }

  get statistics(): Readonly<Statistics> {
    return this.#node.statistics;
  }

  /** The domains that have keys here. */
  get domains(): readonly string[] {
    return Object.keys(this.#tenants.domains);
  }

  /** What a backend may do in `domain`, without HTTP. */
  backend(domain: string): Backend {
    return this.#node.backend(domain);
  }

  /** Rejects with `ProtocolError` `not_found` for a domain without keys. */
  mintToken(domain: string, user: string, lifetimeMs: number): Promise<Token> {
    return mintToken(this.#keyRing, { domain, user, lifetimeMs, now: Date.now() });
  }

  /** One link per demo user; none where domains are configured, or before `listen`. */
  async signInLinks(): Promise<SignInLink[]> {
    const { address } = this;
    if (address === undefined || !this.#tenants.isDemo) return [];
    return Promise.all(
      demoUsers.map(async ({ user, name }) => {
        const { token } = await this.mintToken(demoDomain, user, this.#config.tokenLifetimeMsMax);
        return { user, name, url: `${address.url}/#token=${token}` };
      }),
    );
  }

  /**
   * Drains: `/readyz` says 503, users are sent away with a hint when to come back (at `drainRate` where other nodes
   * take them), what was accepted is committed and answered, then the store is closed. The same promise for every caller.
   */
  close(): Promise<void> {
    if (this.#state.phase === "closing") return this.#state.done;
    const before = this.#state;
    const done = this.#drain(before);
    this.#state = { phase: "closing", done };
    return done;
  }

  /** Where other nodes take them, users go some at a time; else all are served to the end, and go together. */
  async #sendAway(): Promise<void> {
    const { postgres, drainRate } = this.#config;
    if (postgres.url === "") return;
    await Promise.race([
      this.#node.drain(drainRate),
      sleep(drainTimeMs(drainRate) + overdueMs, undefined, { ref: false }),
    ]);
  }

  async #drain(before: State): Promise<void> {
    this.#doors.drain();
    if (before.phase === "listening") {
      this.#journal.info("draining", { connections: this.statistics.connections });
      await sleep(this.#config.drainMs);
      await this.#sendAway();
    }
    try {
      const closed = this.#doors.close();
      // Nobody waits for a store that may be long in coming.
      await this.#migrations?.close();
      await this.#node.close();
      await closed;
    } finally {
      if (before.phase === "open" || before.phase === "listening") clearInterval(before.ticks);
      try {
        await this.#joint.close();
      } finally {
        await this.#store.close();
      }
    }
    // A server that never listened did not stop: it did not start, and the error says why.
    if (before.phase === "listening") this.#journal.info("stopped");
  }
}
