import assert from "node:assert/strict";
import { MemoryBroker, MemoryStore } from "@hongyan/core/memory";
import {
  type CloseName,
  type Command,
  type Frame,
  type FrameNamed,
  type FrameType,
  ProtocolError,
  type SharedFrame,
} from "@hongyan/protocol";
import {
  type Broker,
  type Connection,
  type Inbound,
  Node,
  type NodeEvent,
  type Settings,
  type Store,
} from "../src/index.ts";

export const settings: Settings = {
  heartbeatMs: 30_000,
  connectTimeoutMs: 10_000,
  sessionGraceMs: 60_000,
  repushAfterMs: 5_000,
  receiptsEveryMs: 100,
  receiptsPushMembersMax: 256,
  outboxBytesMax: 100_000,
  outboxBytesClose: 1_000_000,
  outboxBytesTotal: 10_000_000,
  commitBytesMax: 10_000_000,
  bodyBytesMax: 65_536,
  membersMax: 1000,
  usersCreateGroups: true,
  userDirectory: true,
  presence: true,
  connectsPerSecond: 1000,
  backlogConversationsMax: 100_000,
  residentConversationsMax: 1000,
};

/** How often a house that shares its store compares its users with it. */
export const repairEveryMs = 1_000;
let houses = 0;

/** A command without its id, which the device fills in. */
type Unnumbered<C extends Command> = C extends Command ? Omit<C, "id"> : never;

/** A device at the end of a wire that loses nothing, driven by hand. */
export class Device implements Connection {
  readonly encoding = "messagepack";
  readonly transport = "test";
  readonly frames: Frame[] = [];
  closedWith: CloseName | undefined;
  /** When it was told to come back. */
  retryAfterMs: number | undefined;
  /** Set by a test to play a peer that does not read. */
  bufferedBytes = 0;
  inbound: Inbound | undefined;
  readonly #house: House;
  #nextId = 1;

  constructor(house: House) {
    this.#house = house;
  }

  write(frame: SharedFrame): void {
    this.frames.push(frame.frame);
  }

  close(code: CloseName, retryAfterMs?: number): void {
    this.closedWith = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** Sends a command and waits for its answer; items that came with it are in `frames`. */
  async ask<T extends FrameType>(command: Unnumbered<Command>, expected: T): Promise<FrameNamed<T>> {
    const id = this.post(command);
    await this.#house.until(
      () => this.frames.some((frame) => frame.id === id && frame.type === expected),
      expected,
    );
    return this.frames.find((frame) => frame.id === id && frame.type === expected) as FrameNamed<T>;
  }

  post(command: Unnumbered<Command>): number {
    const id = this.#nextId++;
    this.inbound?.receive({ ...command, id } as Command);
    return id;
  }

  of<T extends FrameType>(type: T): FrameNamed<T>[] {
    return this.frames.filter((frame): frame is FrameNamed<T> => frame.type === type);
  }

  /** `message` pushes as text, in the order of arrival. */
  get heard(): string[] {
    return this.of("message")
      .filter((frame) => frame.id === 0)
      .map((frame) => new TextDecoder().decode(frame.body));
  }

  say(conversation: string, text: string, clientMessageId = `${text}`, after?: string) {
    return this.ask(
      { type: "send", conversation, clientMessageId, after, body: new TextEncoder().encode(text) },
      "send.ok",
    );
  }

  async refused(command: Unnumbered<Command>): Promise<string> {
    return (await this.ask(command, "error")).name;
  }
}

/** One node over a store in memory, with a clock that the test moves. */
export class House {
  nowMs = 1_800_000_000_000;
  readonly store: Store;
  readonly node: Node;
  #ids = 0;
  readonly #name = `h${++houses}`;

  /** `verified`: lets a test decide when a token's verification ends. `broker`: to other houses on the same store. */
  constructor(
    changes: Partial<Settings> = {},
    store: Store = new MemoryStore(),
    verified: (token: string) => Promise<void> = async () => undefined,
    broker?: Broker<NodeEvent>,
  ) {
    this.store = store;
    this.node = new Node({
      name: "node-1",
      store,
      broker: broker ?? new MemoryBroker<NodeEvent>(),
      cluster: broker && { repairEveryMs },
      clock: { now: () => this.nowMs, defer: (work) => void setImmediate(work) },
      random: { id: () => `${this.#name}${String(++this.#ids).padStart(20, "0")}` },
      journal: { info: () => undefined, warn: () => undefined },
      authenticator: {
        verify: async (token) => {
          const [domain = "", user = "", expires] = token.split("/");
          await verified(token);
          if (user === "") throw new ProtocolError("unauthorized");
          return {
            domain,
            user,
            expiresAt: expires === undefined ? Number.MAX_SAFE_INTEGER : Number(expires),
          };
        },
      },
      settings: { ...settings, ...changes },
    });
  }

  /** A raw connection that has not said anything. */
  wire(): Device {
    const device = new Device(this);
    device.inbound = this.node.accept(device);
    return device;
  }

  /** A device that is connected and has read its backlog. */
  async device(
    user: string,
    device = "phone",
    options: { domain?: string; resume?: string; sync?: boolean } = {},
  ): Promise<Device> {
    const wire = this.wire();
    await wire.ask(
      {
        type: "connect",
        version: 1,
        token: `${options.domain ?? "d"}/${user}`,
        device,
        resume: options.resume,
      },
      "connect.ok",
    );
    if (options.sync !== false) await wire.ask({ type: "sync" }, "sync.ok");
    return wire;
  }

  tick(ms = 200): Promise<void> {
    this.nowMs += ms;
    this.node.tick();
    return this.settle();
  }

  /** Until what has begun is done: a store in memory answers within a few turns. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    for (let i = 0; i < 2000 && !condition(); i++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(condition(), `waited in vain for ${what}`);
  }
}
