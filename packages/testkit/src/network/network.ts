import type { Encoding, Frame, FrameType } from "@hongyan/protocol";
import type { DeviceId } from "../checkers/observations.ts";
import { deviceKey } from "../checkers/observations.ts";
import type { Scheduler } from "../scheduler.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { type Conditions, calm } from "./conditions.ts";
import { type ClientEnd, Link, type LinkWatch } from "./link.ts";

/** A packet to be lost: the next `times` frames of `type` that fit are swallowed. */
interface Loss {
  readonly type: FrameType;
  readonly matches: (device: DeviceId, frame: Frame) => boolean;
  times: number;
}

/** Something to be done when a frame of a kind passes. */
interface Trap {
  readonly type: FrameType;
  readonly matches: (device: DeviceId, frame: Frame) => boolean;
  readonly spring: () => void;
}

const windowBytes = 1_000;

/** All links of a world, and the weather over them. */
export class Network {
  conditions: Conditions;
  /** Frames that reached a client or left it, by type and by device and type: for scenarios that count. */
  readonly #counts = new Map<string, number>();
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #watch: LinkWatch;
  readonly #accept: (link: Link) => boolean;
  readonly #links = new Map<string, Link[]>();
  readonly #offline = new Set<string>();
  readonly #losses: Loss[] = [];
  readonly #traps: Trap[] = [];
  #opened = 0;
  /** When a client has first said something over a link, other than `connect`, since the weather cleared. */
  readonly #spoke = new WeakMap<Link, number>();
  #isHealed = false;

  constructor(
    scheduler: Scheduler,
    random: SeededRandom,
    conditions: Conditions,
    watch: Pick<LinkWatch, "up" | "written" | "down">,
    accept: (link: Link) => boolean,
  ) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.conditions = conditions;
    this.#accept = accept;
    this.#watch = {
      up: (link, frame) => {
        this.#count(link.device, frame.type);
        if (this.#isHealed && frame.type !== "connect" && !this.#spoke.has(link))
          this.#spoke.set(link, this.#scheduler.now);
        watch.up(link, frame);
      },
      written: watch.written,
      down: (link, frame) => {
        this.#count(link.device, frame.type);
        watch.down(link, frame);
      },
      filterUp: (link, frame) => this.#passes(link, frame),
      filterDown: (link, frame) => this.#passes(link, frame),
    };
  }

  /** Connects; `opened` or `closed` of the end follows, never before this returns. */
  open(device: DeviceId, encoding: Encoding, end: ClientEnd & { opened(): void }): Link {
    const random = this.#random.fork(`${deviceKey(device)} ${this.#opened++}`);
    const { conditions } = this;
    const link = new Link({
      device,
      encoding,
      scheduler: this.#scheduler,
      random,
      conditions,
      watch: this.#watch,
      windowBytes,
    });
    link.attachClient(end);
    this.#scheduler.after(random.between(conditions.latencyMsMin, conditions.latencyMsMax), () => {
      if (!link.isOpen) return;
      if (this.#offline.has(deviceKey(device)) || !this.#accept(link)) return link.cut(0, undefined);
      this.#linksOf(device).push(link);
      end.opened();
    });
    return link;
  }

  /** The live links of a device, the newest last. */
  links(device: DeviceId): readonly Link[] {
    return this.#linksOf(device);
  }

  /** When the client has first spoken over its newest link since the weather cleared; undefined where it has not. */
  spokeAt(device: DeviceId): number | undefined {
    const newest = this.#linksOf(device).at(-1);
    return newest && this.#spoke.get(newest);
  }

  setOffline(device: DeviceId, isOffline: boolean): void {
    if (!isOffline) {
      this.#offline.delete(deviceKey(device));
      return;
    }
    this.#offline.add(deviceKey(device));
    for (const link of this.#linksOf(device)) link.cut(0, this.#random.pick([0, 10, 30_000]));
  }

  /** The weather clears: nothing is lost, held up or stalled any more. */
  heal(): void {
    this.#isHealed = true;
    this.conditions = calm;
    this.#offline.clear();
    this.#losses.length = 0;
    for (const links of this.#links.values()) {
      for (const link of links) {
        for (const pipe of [link.up, link.down]) {
          // Still datagrams where it was such a link: what is held up may yet arrive between later frames.
          pipe.conditions = { ...calm, kind: pipe.conditions.kind, latencyMsMin: 5, latencyMsMax: 5 };
          pipe.resume();
        }
      }
    }
  }

  // ── By hand ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Loses the next frames of `type`, in whichever direction they travel. */
  drop(
    type: FrameType,
    options: { times?: number; if?: (device: DeviceId, frame: Frame) => boolean } = {},
  ): void {
    this.#losses.push({ type, times: options.times ?? 1, matches: options.if ?? (() => true) });
  }

  /** How many of the frames that `drop` was told to lose have not come by yet. */
  get dropsPending(): number {
    return this.#losses.reduce((sum, loss) => sum + loss.times, 0);
  }

  /** Runs `spring` at the moment a frame of `type` leaves its sender; the frame is lost. */
  trap(
    type: FrameType,
    spring: () => void,
    matches: (device: DeviceId, frame: Frame) => boolean = () => true,
  ): void {
    this.#traps.push({ type, spring, matches });
  }

  /** Frames of a type that were sent by a client or received by one: by all, or by one device. */
  counted(type: FrameType, device?: DeviceId): number {
    return this.#counts.get(device === undefined ? type : `${deviceKey(device)} ${type}`) ?? 0;
  }

  #passes(link: Link, frame: Frame): boolean {
    const trap = this.#traps.findIndex(
      ({ type, matches }) => type === frame.type && matches(link.device, frame),
    );
    if (trap >= 0) {
      const [sprung] = this.#traps.splice(trap, 1);
      this.#scheduler.after(0, () => sprung?.spring());
      return false;
    }
    const loss = this.#losses.find(
      ({ type, times, matches }) => type === frame.type && times > 0 && matches(link.device, frame),
    );
    if (loss === undefined) return true;
    loss.times--;
    return false;
  }

  #count(device: DeviceId, type: string): void {
    for (const key of [type, `${deviceKey(device)} ${type}`])
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  #linksOf(device: DeviceId): Link[] {
    const key = deviceKey(device);
    const links = (this.#links.get(key) ?? []).filter((link) => link.isOpen);
    this.#links.set(key, links);
    return links;
  }
}
