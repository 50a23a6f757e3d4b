import type { FrameNamed } from "@hongyan/protocol";
import type { Receipt, ReceiptsSnapshot, RefreshableView } from "../api.ts";
import type { Answer, Request } from "../engine/requests.ts";
import { Cell } from "./cell.ts";
import type { Ticks } from "./shown-message.ts";

/** Members whose positions a view loads at most. */
const receiptsMax = 5_000;

/** How far each other member of one conversation is: asked for when somebody looks, kept up to date by pushes. */
export class ReceiptsView implements RefreshableView<ReceiptsSnapshot> {
  readonly conversation: string;
  readonly #call: (request: Request) => Promise<Answer>;
  readonly #user: () => string | undefined;
  readonly #changed: () => void;
  readonly #cell: Cell<ReceiptsSnapshot>;
  readonly #receipts = new Map<string, Receipt>();
  #isWanted = false;
  #refreshing: Promise<void> | undefined;

  constructor(
    conversation: string,
    around: {
      call: (request: Request) => Promise<Answer>;
      user: () => string | undefined;
      changed: () => void;
    },
  ) {
    this.conversation = conversation;
    this.#call = around.call;
    this.#user = around.user;
    this.#changed = around.changed;
    this.#cell = new Cell<ReceiptsSnapshot>({ conversation, receipts: [], loaded: false }, (isWatched) => {
      if (isWatched) this.refresh().catch(() => undefined);
    });
  }

  get snapshot(): ReceiptsSnapshot {
    return this.#cell.snapshot;
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#cell.subscribe(listener);

  readonly refresh = (): Promise<void> => {
    this.#refreshing ??= this.#load().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  };

  /** The messages of the conversation are being looked at: their ticks depend on this. */
  want(isWanted: boolean): void {
    this.#isWanted = isWanted;
    this.renew();
  }

  /** Positions may have been missed. */
  renew(): void {
    if (this.#isWanted || this.#cell.isWatched) this.refresh().catch(() => undefined);
  }

  receipt(receipt: Receipt): void {
    if (!this.#isWanted && !this.#cell.isWatched) return;
    this.#merge(receipt);
    this.#show();
  }

  /** Where all of `others` other members are; nothing while not all of them are known. */
  ticks(others: number): Ticks {
    const { receipts, loaded } = this.#cell.snapshot;
    if (!loaded || receipts.length < others || receipts.length === 0) return { delivered: 0, seen: 0 };
    let delivered = Number.MAX_SAFE_INTEGER;
    let seen = Number.MAX_SAFE_INTEGER;
    for (const receipt of receipts) {
      delivered = Math.min(delivered, Math.max(receipt.delivered, receipt.read));
      seen = Math.min(seen, receipt.read);
    }
    return { delivered, seen };
  }

  async #load(): Promise<void> {
    const { conversation } = this;
    const users = new Set<string>();
    let after: string | undefined;
    do {
      const { reply, items } = await this.#call({ type: "receipts", conversation, after });
      for (const item of items) {
        if (item.type !== "receipt") continue;
        const { user, delivered, read } = item;
        users.add(user);
        this.#merge({ conversation, user, delivered, read });
      }
      after = (reply as FrameNamed<"receipts.ok">).next;
    } while (after !== undefined && users.size < receiptsMax);
    // Who is not listed has left.
    if (after === undefined)
      for (const user of this.#receipts.keys()) if (!users.has(user)) this.#receipts.delete(user);
    this.#show(true);
  }

  /** Cursors never go back (G5), whatever order their news come in. */
  #merge({ conversation, user, delivered, read }: Receipt): void {
    if (user === this.#user()) return;
    const before = this.#receipts.get(user);
    if (before !== undefined && before.delivered >= delivered && before.read >= read) return;
    this.#receipts.set(user, {
      conversation,
      user,
      delivered: Math.max(delivered, before?.delivered ?? 0),
      read: Math.max(read, before?.read ?? 0),
    });
  }

  #show(loaded = this.#cell.snapshot.loaded): void {
    const receipts = [...this.#receipts.values()];
    const before = this.#cell.snapshot;
    const isSame =
      before.loaded === loaded &&
      before.receipts.length === receipts.length &&
      before.receipts.every((receipt, at) => receipt === receipts[at]);
    if (isSame) return;
    this.#cell.set({ conversation: this.conversation, receipts, loaded });
    this.#changed();
  }
}
