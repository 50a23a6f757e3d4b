import type { Client, ClientPorts, Transport } from "@hongyan/client";
import { createClientOn } from "@hongyan/client";
import { ProtocolError } from "@hongyan/protocol";
import type { DeviceId } from "../checkers/observations.ts";
import { deviceKey } from "../checkers/observations.ts";
import { markedBody, markerIn } from "../ledger/marker.ts";
import type { Link } from "../network/link.ts";
import type { Network } from "../network/network.ts";
import type { PlannedDevice } from "../plan/plan.ts";
import type { Plant } from "../plants/plant.ts";
import type { Scheduler } from "../scheduler.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { DeviceStorage } from "./device-storage.ts";
import type { Judge } from "./judge.ts";
import { worldBeginsAt } from "./sim-clock.ts";

export interface DeviceOptions {
  readonly planned: PlannedDevice;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly network: Network;
  readonly judge: Judge;
  readonly plant: Plant | undefined;
  readonly storageLatencyMsMax: number;
}

/** Small pages, so that small worlds have several. */
const settings = { viewMessagesFirst: 20, viewMessagesStep: 20, pageMessages: 20 };

/** One installation of the production client, and the application that uses it. */
export class Device implements DeviceId {
  readonly domain: string;
  readonly user: string;
  readonly device: string;
  readonly storage: DeviceStorage;
  skewMs = 0;
  /** What the application was handed, by conversation: seq → text. */
  readonly shown = new Map<string, Map<number, string>>();
  /** Every body that was handed over, in order, repetitions too. */
  readonly handed: string[] = [];
  readonly #options: DeviceOptions;
  #client: Client | undefined;
  #life = 0;
  /** Numbers of the markers, by conversation: the application counts what it sends. */
  readonly #numbers = new Map<string, number>();

  constructor(options: DeviceOptions) {
    const { planned, scheduler, random } = options;
    this.domain = planned.domain;
    this.user = planned.user;
    this.device = planned.device;
    this.#options = options;
    this.storage = new DeviceStorage(scheduler, random.fork("storage"), options.storageLatencyMsMax);
    this.storage.onDurable = (change) => {
      for (const { body } of change.outbox ?? []) {
        const marker = markerIn(body);
        if (marker !== undefined) options.judge.accepted(this, marker);
      }
    };
  }

  get key(): string {
    return deviceKey(this);
  }

  get isRunning(): boolean {
    return this.#client !== undefined;
  }

  /** Messages in one page of a backlog. */
  get pageMessages(): number {
    return settings.pageMessages;
  }

  get isAbsent(): boolean {
    return this.#options.planned.isAbsent;
  }

  /** The running program. */
  get client(): Client | undefined {
    return this.#client;
  }

  /** Starts the program, on what the device has kept. */
  start(): void {
    if (this.#client !== undefined || this.#options.planned.isAbsent) return;
    const life = ++this.#life;
    const client = createClientOn(this.#ports(life), {
      token: () => Promise.resolve(`${this.domain}/${this.user}`),
      device: this.device,
      codec: this.#options.planned.encoding === "json" ? "json" : "messagepack",
      settings,
    });
    this.#client = client;
    const { judge } = this.#options;
    const isAwaited = this.#options.plant?.handlerIsNotAwaited !== true;
    client.on("message", (message) => {
      const taken = this.#take(life, message);
      return isAwaited ? taken : undefined;
    });
    client.on("sent", (message) => {
      const marker = markerIn(message.body);
      if (marker !== undefined) judge.told(this, marker, message.seq);
    });
    client.on("failed", (message) => {
      const marker = markerIn(message.body);
      if (marker !== undefined) judge.refused(this, marker, message.failure?.code ?? "");
    });
    client.on("receipt", ({ conversation, user, delivered, read }) =>
      judge.receiptShown(this, conversation, user, delivered, read),
    );
    client.start().catch((error: unknown) => {
      if (life === this.#life) judge.object("crash", `${this.key} could not start: ${String(error)}`);
    });
  }

  /** Ends the program as its user would. */
  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.stop();
  }

  /** The program is gone at once; what was not durable may be lost. */
  crash(): void {
    if (this.#client === undefined) return;
    this.#client = undefined;
    this.#life++;
    for (const link of this.#options.network.links(this)) {
      link.forget("client");
      link.cut(undefined, this.#options.random.pick([0, 10, 30_000]));
    }
    this.storage.crash();
    const { judge } = this.#options;
    judge.deviceCrashed(this, (conversation) => this.storage.position(conversation));
  }

  /** The application sends a message that says where it comes from. */
  send(conversation: string, bytes: number): void {
    const client = this.#client;
    if (client === undefined) return;
    const number = (this.#numbers.get(conversation) ?? 0) + 1;
    this.#numbers.set(conversation, number);
    const { domain, user, device } = this;
    try {
      client.send(
        conversation,
        markedBody({ domain, user, device, conversation, number, variant: 0 }, bytes),
      );
    } catch (error) {
      // A program that is still reading its storage takes nothing over, and says so.
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  async #take(
    life: number,
    message: { conversation: string; seq: number; from: string; clientMessageId: string; body: Uint8Array },
  ): Promise<void> {
    const { planned, random, scheduler, judge } = this.#options;
    const delayMs = planned.handlerMsMax === 0 ? 0 : random.between(0, planned.handlerMsMax);
    if (delayMs > 0) await new Promise<void>((resolve) => scheduler.after(delayMs, resolve));
    // A program that has ended in the meantime takes nothing over.
    if (life !== this.#life) return new Promise(() => {});
    judge.handed(this, message);
    const shown = this.shown.getOrInsertComputed(message.conversation, () => new Map());
    const text = Buffer.from(message.body).toString();
    shown.set(message.seq, text);
    this.handed.push(text);
  }

  #ports(life: number): ClientPorts {
    const { scheduler, random, plant } = this.#options;
    const chance = random.fork(`program ${life}`);
    const storage = this.storage.open();
    return {
      clock: {
        now: () => worldBeginsAt + Math.floor(scheduler.now) + this.skewMs,
        setTimer: (ms, work) => {
          const timer = scheduler.after(ms, () => {
            if (life === this.#life) work();
          });
          return () => scheduler.cancel(timer);
        },
      },
      random: { next: () => chance.fraction(), id: () => chance.id() },
      storage: plant?.storage?.(storage, this) ?? storage,
      transports: [this.#transport(life)],
    };
  }

  #transport(life: number): Transport {
    const { network, planned } = this.#options;
    const { encoding } = planned;
    return {
      name: "simulated",
      mode: encoding === "text" ? "text" : "binary",
      open: (events) => {
        // A program that has crashed neither hears nor says anything more.
        const isAlive = (): boolean => life === this.#life;
        const link: Link = network.open(this, encoding, {
          opened: () => {
            if (isAlive()) events.opened();
            else link.cut(undefined, 0);
          },
          received: (data) => {
            if (isAlive()) events.received(data);
          },
          closed: (code) => {
            if (isAlive()) events.closed({ code, reason: "the link ended" });
          },
        });
        return {
          send: (frames) => {
            if (isAlive()) for (const frame of frames) link.clientWrite(frame);
          },
          close: () => link.clientClose(),
        };
      },
    };
  }
}
