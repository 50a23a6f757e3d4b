import type { Settings } from "@hongyan/core";
import type { DeviceId } from "../checkers/observations.ts";
import { deviceKey } from "../checkers/observations.ts";
import { calmDisk, Disk, type DiskConditions } from "../disk/disk.ts";
import { Ledger } from "../ledger/ledger.ts";
import { Network } from "../network/network.ts";
import type { Plan } from "../plan/plan.ts";
import type { Plant } from "../plants/plant.ts";
import { Scheduler, settle } from "../scheduler.ts";
import { SeededRandom } from "../seeded-random.ts";
import { Cluster } from "./cluster.ts";
import { Device } from "./device.ts";
import { Judge, type Objection } from "./judge.ts";
import { openProbe } from "./open-store.ts";
import { Witness } from "./witness.ts";

/** Everything of one simulated run. Made from a plan; whatever happens in it happens as a step of its scheduler. */
export class World {
  readonly plan: Plan;
  readonly scheduler = new Scheduler();
  readonly random: SeededRandom;
  readonly ledger = new Ledger();
  readonly judge: Judge;
  readonly network: Network;
  readonly server: Cluster;
  readonly devices: readonly Device[];
  readonly settings: Settings;
  /** Lines of what happened, where somebody wants to read them. */
  trace: ((line: string) => void) | undefined;
  readonly #disk: Disk;
  readonly #witness: Witness;
  #number = 0;
  readonly #onUnhandled = (error: unknown): void => this.#fault(error);

  constructor(plan: Plan, plant: Plant | undefined, settings: Partial<Settings> = {}) {
    this.plan = plan;
    const { scheduler, ledger } = this;
    const random = new SeededRandom(`world ${plan.seed}`);
    this.random = random;
    this.settings = { ...settingsOf(plan), ...settings };
    // One frame may be written above the bound before the node looks, and the `close` that follows.
    const frameBytesMax = 8_000;
    this.judge = new Judge(ledger, this.settings.outboxBytesClose + frameBytesMax, plan.nodes > 1);
    const { judge } = this;
    const disk = new Disk(scheduler, random.fork("disk"), plan.disk, plant?.diskLies === true);
    this.#disk = disk;
    disk.onDurable = (writes) => judge.durable(writes);
    this.#witness = new Witness(ledger, judge, () => openProbe(disk));
    this.server = new Cluster({
      plan,
      scheduler,
      random,
      settings: this.settings,
      disk,
      witness: this.#witness,
      plant,
      onWarning: (event, details) =>
        this.trace?.(`${this.#time()} server warns: ${event} ${JSON.stringify(details)}`),
      onFault: (error) => this.#fault(error),
    });
    this.network = new Network(
      scheduler,
      random.fork("network"),
      plan.conditions,
      {
        up: (link, frame) => {
          this.trace?.(`${this.#time()} ${deviceKey(link.device)} → ${describe(frame)}`);
          judge.up(link, frame);
        },
        written: (link, frame) => {
          this.trace?.(`${this.#time()} ${deviceKey(link.device)} ⋯ ${describe(frame)}`);
          judge.written(link, frame);
        },
        down: (link, frame) => {
          this.trace?.(`${this.#time()} ${deviceKey(link.device)} ← ${describe(frame)}`);
          judge.down(link, frame);
        },
      },
      (link) => this.server.accept(link),
    );
    this.devices = plan.devices.map(
      (planned) =>
        new Device({
          planned,
          scheduler,
          random: random.fork(`${planned.domain}/${planned.user}/${planned.device}`),
          network: this.network,
          judge,
          plant,
          storageLatencyMsMax: 10,
        }),
    );
    process.on("unhandledRejection", this.#onUnhandled);
  }

  /** Ends the world: it must be called, whatever happened. */
  close(): void {
    process.off("unhandledRejection", this.#onUnhandled);
  }

  /** A number that was not used before in this world. */
  nextNumber(): number {
    return ++this.#number;
  }

  /** Positions that the node has written, over all its lives. */
  get cursorWrites(): number {
    return this.#witness.cursorWrites;
  }

  get objection(): Objection | undefined {
    return this.judge.objection;
  }

  device(id: DeviceId): Device {
    const device = this.devices.find((one) => one.key === deviceKey(id));
    if (device === undefined) throw new Error(`there is no device ${deviceKey(id)}`);
    return device;
  }

  /**
   * One step: the next event up to `until`, every promise reaction to it, and the checkers' doubts. False where
   * nothing is left to happen until then, or a checker has objected.
   */
  async step(until: number): Promise<boolean> {
    if (this.judge.objection !== undefined) return false;
    let hasWorked: boolean;
    try {
      hasWorked = this.scheduler.step(until);
    } catch (error) {
      this.#fault(error);
      return false;
    }
    await settle();
    const { doubts } = this.judge;
    if (doubts.length > 0) {
      this.judge.doubts = [];
      await this.#witness.recover();
      for (const doubt of doubts) doubt();
    }
    return hasWorked && this.judge.objection === undefined;
  }

  /** Lets everything happen that is due up to `until`, or until `done`. */
  async run(
    until: number,
    stepsMax = Number.POSITIVE_INFINITY,
    done: () => boolean = () => false,
  ): Promise<void> {
    // What was just called may only now schedule its first event.
    await settle();
    while (this.scheduler.steps < stepsMax && !done() && (await this.step(until)));
  }

  /** Faults stop: the server runs, everybody is online, nothing is lost any more. */
  heal(): void {
    this.network.heal();
    this.#disk.conditions = calmDisk;
    this.server.heal();
    for (const device of this.devices) device.start();
  }

  /** The disk gets another temper. */
  disturb(conditions: DiskConditions): void {
    this.#disk.conditions = conditions;
  }

  /** What the disk has: for the last comparison. */
  openProbe() {
    return openProbe(this.#disk);
  }

  recover(): Promise<void> {
    return this.#witness.recover();
  }

  #fault(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.judge.object("crash", `production code threw: ${text}`);
  }

  #time(): string {
    return `${(this.scheduler.now / 1000).toFixed(3)} #${this.scheduler.steps}`;
  }
}

function settingsOf(plan: Plan): Settings {
  return {
    heartbeatMs: 10_000,
    connectTimeoutMs: 10_000,
    sessionGraceMs: plan.sessionGraceMs,
    repushAfterMs: 3_000,
    receiptsEveryMs: 100,
    receiptsPushMembersMax: 64,
    outboxBytesMax: plan.outboxBytesMax,
    outboxBytesClose: plan.outboxBytesClose,
    // Two of them may be as slow as they like.
    outboxBytesTotal: plan.outboxBytesClose * 2,
    commitBytesMax: 64_000,
    bodyBytesMax: 4_000,
    membersMax: 1_000,
    usersCreateGroups: true,
    userDirectory: true,
    presence: true,
    connectsPerSecond: 100,
    backlogConversationsMax: 50,
    residentConversationsMax: 3,
  };
}

function describe(frame: { readonly type: string; readonly body?: Uint8Array | undefined }): string {
  const { type, body, ...fields } = frame;
  const text = body === undefined ? "" : ` ${Buffer.from(body).toString().slice(0, 80)}`;
  return `${type} ${JSON.stringify(fields)}${text}`;
}
