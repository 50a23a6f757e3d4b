/** The core's node behind a NATS broker, and devices on it: as little as it takes to see what goes between nodes. */
import { randomUUID } from "node:crypto";
import { type Connection, type Inbound, Node, type Settings, type Store } from "@hongyan/core";
import type { Command, Frame, FrameNamed, FrameType, SharedFrame } from "@hongyan/protocol";
import { NatsBroker } from "../src/nats/index.ts";
import { silent } from "./silent.ts";
import { until } from "./until.ts";

const settings: Settings = {
  heartbeatMs: 30_000,
  connectTimeoutMs: 10_000,
  sessionGraceMs: 60_000,
  repushAfterMs: 1_000,
  receiptsEveryMs: 0,
  receiptsPushMembersMax: 256,
  outboxBytesMax: 10_000_000,
  outboxBytesClose: 20_000_000,
  outboxBytesTotal: 200_000_000,
  commitBytesMax: 10_000_000,
  bodyBytesMax: 2_000_000,
  membersMax: 1000,
  usersCreateGroups: true,
  userDirectory: true,
  presence: true,
  connectsPerSecond: 1000,
  backlogConversationsMax: 1000,
  residentConversationsMax: 1000,
};

export class JoinedNode {
  readonly broker: NatsBroker;
  readonly #node: Node;
  readonly #ticks: NodeJS.Timeout;

  private constructor(broker: NatsBroker, node: Node) {
    this.broker = broker;
    this.#node = node;
    this.#ticks = setInterval(() => node.tick(), 20);
  }

  static async open(name: string, url: string, store: Store): Promise<JoinedNode> {
    const broker = await NatsBroker.open({ url, node: name, journal: silent, missed: () => node.missed() });
    const node = new Node({
      name,
      store,
      broker,
      clock: { now: () => Date.now(), defer: (work) => void setImmediate(work) },
      random: { id: randomUUID },
      journal: silent,
      authenticator: {
        verify: async (user) => ({ domain: "d", user, expiresAt: Number.MAX_SAFE_INTEGER }),
      },
      settings,
      // Far off: what is repaired in these tests was repaired because the broker said so.
      cluster: { repairEveryMs: 600_000 },
    });
    return new JoinedNode(broker, node);
  }

  /** A device that is connected and has read its backlog. */
  async device(user: string, device = "phone"): Promise<Device> {
    const wire = new Device();
    wire.inbound = this.#node.accept(wire);
    await wire.ask({ type: "connect", version: 1, token: user, device }, "connect.ok");
    await wire.ask({ type: "sync" }, "sync.ok");
    return wire;
  }

  async close(): Promise<void> {
    clearInterval(this.#ticks);
    await this.#node.close();
    await this.broker.close();
  }
}

type Unnumbered<C extends Command> = C extends Command ? Omit<C, "id"> : never;

export class Device implements Connection {
  readonly encoding = "messagepack";
  readonly transport = "test";
  readonly bufferedBytes = 0;
  readonly frames: Frame[] = [];
  inbound: Inbound | undefined;
  #lastId = 0;

  write(frame: SharedFrame): void {
    this.frames.push(frame.frame);
  }

  close(): void {}

  of<T extends FrameType>(type: T): FrameNamed<T>[] {
    return this.frames.filter((frame): frame is FrameNamed<T> => frame.type === type);
  }

  /** The client message ids of what was pushed. */
  get pushed(): string[] {
    return this.of("message").flatMap(({ id, clientMessageId }) => (id === 0 ? [clientMessageId] : []));
  }

  async ask<T extends FrameType>(command: Unnumbered<Command>, expected: T): Promise<FrameNamed<T>> {
    const id = ++this.#lastId;
    this.inbound?.receive({ ...command, id } as Command);
    const answer = () => this.of(expected).find((frame) => frame.id === id);
    await until(() => answer() !== undefined, expected);
    return answer() as FrameNamed<T>;
  }

  say(conversation: string, clientMessageId: string, body = new Uint8Array([1])) {
    return this.ask({ type: "send", conversation, clientMessageId, body }, "send.ok");
  }
}
