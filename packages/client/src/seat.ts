import type { Actions } from "./actions.ts";
import { Engine, type EngineOptions } from "./engine/engine.ts";
import type { Update } from "./engine/update.ts";
import type { Model } from "./model/model.ts";
import { Numbering } from "./numbering.ts";
import type { ClientPorts, StoredState, TabChannel } from "./ports.ts";
import { Follower } from "./tabs/follower.ts";
import { refused, type TabMessage } from "./tabs/tab-message.ts";

/** Where this tab sits: it leads and runs the engine, or it follows. */
type Place =
  | { readonly role: "away" }
  | { readonly role: "following"; readonly follower: Follower; readonly numbering: Numbering }
  | { readonly role: "leading"; readonly engine: Engine; readonly numbering: Numbering };

/**
 * Several tabs of one browser are one device: the one that holds the lock runs the engine and tells the others
 * what to show; when it closes, the lock goes to another, which goes on from the storage. Without tabs (Node) the
 * seat leads at once and nobody listens.
 */
export class Seat {
  readonly #ports: ClientPorts;
  readonly #options: EngineOptions;
  readonly #model: Model;
  #place: Place = { role: "away" };
  #channel: TabChannel | undefined;
  #unlock: (() => void) | undefined;

  constructor(ports: ClientPorts, options: EngineOptions, model: Model) {
    this.#ports = ports;
    this.#options = options;
    this.#model = model;
  }

  get isLeading(): boolean {
    return this.#place.role === "leading";
  }

  /** Undefined while the seat is away. */
  get actions(): Actions | undefined {
    const place = this.#place;
    if (place.role === "following") return place.follower;
    return place.role === "leading" ? place.engine : undefined;
  }

  get numbering(): Numbering | undefined {
    return this.#place.role === "away" ? undefined : this.#place.numbering;
  }

  /** Resolves once what is kept can be shown. */
  async take(): Promise<void> {
    const { tabs, random, clock, storage } = this.#ports;
    const state = await storage.load();
    this.#model.load(state);
    if (tabs === undefined) return void (await this.#lead(state));
    const tab = random.id();
    this.#channel = tabs.channel((message) => this.#receive(message as TabMessage, tab));
    const follower = new Follower({
      tab,
      clock,
      storage,
      callTimeoutMs: this.#options.settings.callTimeoutMs,
      post: (message) => this.#post(message),
      written: () => this.#outboxWritten(),
      failed: (error) => this.#model.update({ kind: "error", message: String(error) }, false),
    });
    this.#place = { role: "following", follower, numbering: new Numbering(tab, []) };
    this.#post({ kind: "hello", tab });
    this.#unlock = tabs.lock(() => void this.#succeed(follower));
  }

  async leave(): Promise<void> {
    const place = this.#place;
    this.#place = { role: "away" };
    if (place.role === "leading") await place.engine.stop();
    this.#channel?.close();
    this.#channel = undefined;
    this.#unlock?.();
    this.#unlock = undefined;
    await this.#ports.storage.close();
  }

  /** The lock is ours: the storage says where the last one that led has stopped. */
  async #succeed(follower: Follower): Promise<void> {
    try {
      const state = await this.#ports.storage.load();
      await this.#model.reload(state);
      if (this.#place.role !== "following") return;
      // Read again: entries may have been committed while this tab caught up.
      const engine = await this.#lead(await this.#ports.storage.load());
      if (engine === undefined) return;
      follower.handOver(engine);
      this.#post({ kind: "leading", state: this.#model.connection.snapshot, to: undefined });
      // What this tab wrote itself while it took over.
      await engine.outboxChanged();
    } catch (error) {
      this.#model.update({ kind: "error", message: String(error) }, false);
      // Somebody who can read the storage may do better.
      this.#unlock?.();
    }
  }

  /** Undefined where the client was stopped meanwhile. */
  async #lead(state: StoredState): Promise<Engine | undefined> {
    const engine = new Engine(this.#ports, this.#options, {
      update: (update) => this.#tell(update),
      deliver: (message) => this.#model.events.deliver(message),
    });
    const before = this.#place;
    const installation = await engine.open(state);
    if (this.#place !== before) {
      await engine.stop();
      return undefined;
    }
    this.#place = { role: "leading", engine, numbering: new Numbering(installation.prefix, state.numbers) };
    engine.start();
    return engine;
  }

  #tell(update: Update): void {
    this.#model.update(update, false);
    // That this tab stops says nothing about the next one that leads.
    if (this.#place.role === "away" && update.kind === "state") return;
    this.#post({ kind: "update", update });
  }

  #outboxWritten(): void {
    if (this.#place.role === "leading") void this.#place.engine.outboxChanged();
    else this.#post({ kind: "outbox" });
  }

  #post(message: TabMessage): void {
    this.#channel?.post(message);
  }

  #receive(message: TabMessage, tab: string): void {
    if (message.kind === "update") {
      if (this.#place.role === "following" && message.update.kind === "change")
        this.#place.follower.told(message.update.change);
      return this.#model.update(message.update, true);
    }
    if (this.#place.role === "following") return this.#receiveAsFollower(message, tab, this.#place.follower);
    if (this.#place.role === "leading") this.#receiveAsLeader(message, this.#place.engine);
  }

  #receiveAsFollower(message: TabMessage, tab: string, follower: Follower): void {
    if (message.kind === "answer" && message.tab === tab)
      return follower.answered(message.call, message.outcome);
    if (message.kind !== "leading" || (message.to !== undefined && message.to !== tab)) return;
    this.#model.update({ kind: "state", state: message.state }, true);
    follower.newLeader();
    // What the last one had written and not told anybody.
    this.#ports.storage
      .load()
      .then((state) => this.#model.reload(state))
      .catch((error: unknown) => this.#model.update({ kind: "error", message: String(error) }, false));
  }

  #receiveAsLeader(message: TabMessage, engine: Engine): void {
    switch (message.kind) {
      case "hello":
        return this.#post({ kind: "leading", state: this.#model.connection.snapshot, to: message.tab });
      case "outbox":
        return void engine.outboxChanged();
      case "read":
        return engine.markRead(message.conversation, message.seq, message.unread);
      case "restart":
        return engine.restart();
      case "call": {
        const { tab, call, request } = message;
        return void engine.call(request).then(
          (answer) => this.#post({ kind: "answer", tab, call, outcome: { ok: true, answer } }),
          (error: unknown) => this.#post({ kind: "answer", tab, call, outcome: refused(error) }),
        );
      }
      default:
        return;
    }
  }
}
