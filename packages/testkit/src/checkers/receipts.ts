import type { Frame, FrameNamed, Positions, UnknownFrame } from "@hongyan/protocol";
import type { Ledger } from "../ledger/ledger.ts";
import type { DeliveryChecker } from "./delivery.ts";
import { type Bench, type DeviceId, deviceKey, type LinkView, type Observations } from "./observations.ts";

/** What one connection has under way that matters here. */
interface Exchange {
  /** Positions of `ack`, `read` and `sync` commands, by id. */
  readonly claims: Map<number, { readonly kind: "ack" | "read"; readonly positions: Positions }>;
  /** What was confirmed before a `list` was sent, by its id: its items may not fall behind that. */
  readonly lists: Map<number, ReadonlyMap<string, number>>;
}

/**
 * G5: nobody is shown "delivered" or "read" before an application had the message; cursors never go back; unread
 * counts are what the positions say.
 */
export class ReceiptsChecker implements Observations {
  readonly #bench: Bench;
  readonly #ledger: Ledger;
  readonly #delivery: DeliveryChecker;
  readonly #exchanges = new WeakMap<LinkView, Exchange>();
  /** Highest position that any device of a user has claimed: "<domain/conversation> ack|read <user>". */
  readonly #claimed = new Map<string, number>();
  /** Positions that the server has confirmed: "<domain/conversation> ack <user/device>" and "… read <user>". */
  #confirmed: ReadonlyMap<string, number> = new Map();
  /** Own entries of a device and positions it adopted from the server: it may acknowledge them. */
  readonly #own = new Map<string, Set<number>>();
  readonly #adopted = new Map<string, number>();
  /** What applications were shown. */
  readonly #shown = new Map<string, { delivered: number; read: number }>();

  /** Whether several servers tell of one log. */
  readonly #isShared: boolean;

  constructor(bench: Bench, ledger: Ledger, delivery: DeliveryChecker, isShared: boolean) {
    this.#isShared = isShared;
    this.#bench = bench;
    this.#ledger = ledger;
    this.#delivery = delivery;
  }

  up(link: LinkView, frame: Frame): void {
    const exchange = this.#exchange(link);
    if (frame.type === "list") exchange.lists.set(frame.id, this.#confirmed);
    if (frame.type !== "ack" && frame.type !== "read" && frame.type !== "sync") return;
    const { positions } = frame;
    if (positions === undefined) return;
    const kind = frame.type === "read" ? "read" : "ack";
    exchange.claims.set(frame.id, { kind, positions });
    const { domain, user } = link.device;
    for (const [conversation, position] of positions) {
      if (kind === "ack") this.#mustHave(link.device, conversation, position);
      raise(this.#claimed, `${domain}/${conversation} ${kind} ${user}`, position);
    }
  }

  down(link: LinkView, frame: Frame | UnknownFrame): void {
    switch (frame.type) {
      case "ack.ok":
      case "read.ok":
      case "sync.ok":
        return this.#confirm(link, frame.id);
      case "connect.ok":
        // A server tells what it knows of: to a program that has just begun less than another server had told before.
        if (this.#isShared)
          for (const key of [...this.#shown.keys()])
            if (key.startsWith(`${deviceKey(link.device)} `)) this.#shown.delete(key);
        return;
      case "receipt":
        return this.#mustBeClaimed(link.device, frame.conversation, frame.user, frame.delivered, frame.read);
      case "conversation":
        return this.#summary(link, frame);
    }
  }

  told(device: DeviceId, marker: { readonly conversation: string }, seq: number): void {
    const key = `${deviceKey(device)} ${marker.conversation}`;
    const own = this.#own.getOrInsertComputed(key, () => new Set());
    own.add(seq);
  }

  receiptShown(device: DeviceId, conversation: string, user: string, delivered: number, read: number): void {
    this.#mustBeClaimed(device, conversation, user, delivered, read);
    const key = `${deviceKey(device)} ${conversation} ${user}`;
    const shown = this.#shown.get(key);
    if (shown !== undefined && (delivered < shown.delivered || read < shown.read)) {
      const from = `${shown.delivered}/${shown.read}`;
      return this.#bench.object(
        "G5",
        `${key}: the positions shown went back from ${from} to ${delivered}/${read}`,
      );
    }
    this.#shown.set(key, { delivered, read });
  }

  /** How far the user, on whichever device, has said that it has or has read. */
  claimed({ domain, user }: DeviceId, conversation: string, kind: "ack" | "read"): number {
    return this.#claimed.get(`${domain}/${conversation} ${kind} ${user}`) ?? 0;
  }

  /** How far the server has confirmed that the user has read: what was only said may be lost with the device. */
  confirmedRead({ domain, user }: DeviceId, conversation: string): number {
    return this.#confirmed.get(`${domain}/${conversation} read ${user}`) ?? 0;
  }

  /** How far the server has confirmed the device's acknowledgements. */
  acknowledged({ domain, user, device }: DeviceId, conversation: string): number {
    return this.#confirmed.get(`${domain}/${conversation} ack ${user}/${device}`) ?? 0;
  }

  #summary(link: LinkView, frame: FrameNamed<"conversation">): void {
    const { device } = link;
    const { conversation } = frame;
    // What the server says that it has stored, it has confirmed. Up to the read position it may only mean that a
    // device without a cursor of its own begins there.
    const reader = `${device.domain}/${conversation} ack ${device.user}/${device.device}`;
    if (frame.position > frame.read && frame.position > (this.#confirmed.get(reader) ?? 0))
      this.#confirmed = new Map([...this.#confirmed, [reader, frame.position]]);
    raise(this.#adopted, `${deviceKey(device)} ${conversation}`, frame.position);
    const peer = conversation.includes(":")
      ? conversation.split(":").find((user) => user !== device.user)
      : undefined;
    if (peer !== undefined) this.#mustBeClaimed(device, conversation, peer, frame.delivered, frame.seen);
    const from = Math.max(frame.read, frame.first - 1);
    const unread = this.#ledger.unread(device.domain, conversation, device.user, from, frame.head);
    if (frame.unread !== unread && this.#ledger.head(device.domain, conversation) >= frame.head) {
      const range = `(${from}, ${frame.head}]`;
      this.#bench.object(
        "G5",
        `${deviceKey(device)} was told ${frame.unread} unread in ${conversation}; the log has ${unread} in ${range}`,
      );
    }
    const confirmed = this.#exchange(link).lists.get(frame.id);
    if (confirmed === undefined) return;
    const place = `${device.domain}/${conversation}`;
    const acked = confirmed.get(`${place} ack ${device.user}/${device.device}`) ?? 0;
    const read = confirmed.get(`${place} read ${device.user}`) ?? 0;
    // What lies before the present stay is no position in it.
    if (frame.position < acked && acked >= frame.first)
      this.#bench.object(
        "G5",
        `${deviceKey(device)}: the cursor in ${conversation} went back from ${acked} to ${frame.position}`,
      );
    if (frame.read < read && read >= frame.first)
      this.#bench.object(
        "G5",
        `${deviceKey(device)}: the read cursor in ${conversation} went back from ${read} to ${frame.read}`,
      );
  }

  /** A device acknowledges only what its application has. */
  #mustHave(device: DeviceId, conversation: string, position: number): void {
    const key = `${deviceKey(device)} ${conversation}`;
    const own = this.#own.get(key);
    let has = Math.max(this.#delivery.last(device, conversation), this.#adopted.get(key) ?? 0);
    while (own?.has(has + 1)) has++;
    if (position <= has) return;
    const stays = this.#ledger.stays(device.domain, conversation, device.user);
    for (let seq = has + 1; seq <= position; seq++) {
      if (own?.has(seq) || !stays.some((stay) => seq >= stay.since && seq <= stay.until)) continue;
      return this.#bench.object(
        "G5",
        `${key}: #${position} is acknowledged; the application has only up to #${has}`,
      );
    }
  }

  #mustBeClaimed(
    device: DeviceId,
    conversation: string,
    user: string,
    delivered: number,
    read: number,
  ): void {
    const place = `${device.domain}/${conversation}`;
    const readMax = this.#claimed.get(`${place} read ${user}`) ?? 0;
    // A new device begins where its user has read, a new member where it came in.
    const since = this.#ledger.stays(device.domain, conversation, user).at(-1)?.since ?? 1;
    const ackMax = Math.max(this.#claimed.get(`${place} ack ${user}`) ?? 0, readMax, since - 1);
    if (delivered > ackMax) {
      return this.#bench.object(
        "G5",
        `${deviceKey(device)} sees ${place}#${delivered} delivered to ${user}, who has acknowledged ${ackMax}`,
      );
    }
    if (read > Math.max(readMax, since - 1)) {
      this.#bench.object(
        "G5",
        `${deviceKey(device)} sees ${place}#${read} read by ${user}, who has read ${readMax}`,
      );
    }
  }

  #confirm(link: LinkView, id: number): void {
    const claim = this.#exchange(link).claims.get(id);
    if (claim === undefined) return;
    const { domain, user, device } = link.device;
    const confirmed = new Map(this.#confirmed);
    for (const [conversation, position] of claim.positions) {
      const head = this.#ledger.head(domain, conversation);
      const reader = claim.kind === "ack" ? `ack ${user}/${device}` : `read ${user}`;
      raise(confirmed, `${domain}/${conversation} ${reader}`, Math.min(position, head));
    }
    this.#confirmed = confirmed;
  }

  #exchange(link: LinkView): Exchange {
    return this.#exchanges.getOrInsertComputed(link, () => ({ claims: new Map(), lists: new Map() }));
  }
}

function raise(map: Map<string, number>, key: string, value: number): void {
  if (value > (map.get(key) ?? 0)) map.set(key, value);
}
