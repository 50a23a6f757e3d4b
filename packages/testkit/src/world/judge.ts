import { BoundsChecker } from "../checkers/bounds.ts";
import { DeliveryChecker } from "../checkers/delivery.ts";
import { DurabilityChecker } from "../checkers/durability.ts";
import { IdempotenceChecker } from "../checkers/idempotence.ts";
import { MembershipChecker } from "../checkers/membership.ts";
import type { Bench, Guarantee, Observations } from "../checkers/observations.ts";
import { OrderChecker } from "../checkers/order.ts";
import { OutboxWatch } from "../checkers/outbox-watch.ts";
import { ReceiptsChecker } from "../checkers/receipts.ts";
import { WallsChecker } from "../checkers/walls.ts";
import type { Ledger } from "../ledger/ledger.ts";

export interface Objection {
  readonly guarantee: Guarantee;
  readonly text: string;
}

/** All checkers as one: hands every observation to those that want it, and keeps the first objection. */
export class Judge implements Required<Observations>, Bench {
  objection: Objection | undefined;
  /** To be looked at again once the ledger is up to date. */
  doubts: (() => void)[] = [];
  readonly delivery: DeliveryChecker;
  readonly receipts: ReceiptsChecker;
  readonly outbox = new OutboxWatch();
  readonly #checkers: readonly Observations[];

  constructor(ledger: Ledger, queuedBytesMax: number, isShared: boolean) {
    this.delivery = new DeliveryChecker(this, ledger);
    this.receipts = new ReceiptsChecker(this, ledger, this.delivery, isShared);
    this.#checkers = [
      // First: what comes from another domain is also not what the log has, but that is not what is wrong with it.
      new WallsChecker(this, ledger),
      new IdempotenceChecker(this, ledger),
      new DurabilityChecker(this, ledger),
      new OrderChecker(this, ledger),
      new MembershipChecker(this, ledger),
      this.delivery,
      this.receipts,
      this.outbox,
      new BoundsChecker(this, queuedBytesMax),
    ];
  }

  object(guarantee: Guarantee, text: string): void {
    this.objection ??= { guarantee, text };
  }

  doubt(check: () => void): void {
    this.doubts.push(check);
  }

  durable: Required<Observations>["durable"] = (writes) => {
    for (const checker of this.#checkers) checker.durable?.(writes);
  };
  stored: Required<Observations>["stored"] = (domain, conversation, entry) => {
    for (const checker of this.#checkers) checker.stored?.(domain, conversation, entry);
  };
  duplicate: Required<Observations>["duplicate"] = (domain, conversation, entry) => {
    for (const checker of this.#checkers) checker.duplicate?.(domain, conversation, entry);
  };
  recovered: Required<Observations>["recovered"] = (domain, conversation, entries) => {
    for (const checker of this.#checkers) checker.recovered?.(domain, conversation, entries);
  };
  up: Required<Observations>["up"] = (link, frame) => {
    for (const checker of this.#checkers) checker.up?.(link, frame);
  };
  written: Required<Observations>["written"] = (link, frame) => {
    for (const checker of this.#checkers) checker.written?.(link, frame);
  };
  down: Required<Observations>["down"] = (link, frame) => {
    for (const checker of this.#checkers) checker.down?.(link, frame);
  };
  accepted: Required<Observations>["accepted"] = (device, marker) => {
    for (const checker of this.#checkers) checker.accepted?.(device, marker);
  };
  refused: Required<Observations>["refused"] = (device, marker, reason) => {
    for (const checker of this.#checkers) checker.refused?.(device, marker, reason);
  };
  told: Required<Observations>["told"] = (device, marker, seq) => {
    for (const checker of this.#checkers) checker.told?.(device, marker, seq);
  };
  handed: Required<Observations>["handed"] = (device, message) => {
    for (const checker of this.#checkers) checker.handed?.(device, message);
  };
  receiptShown: Required<Observations>["receiptShown"] = (device, conversation, user, delivered, read) => {
    for (const checker of this.#checkers) checker.receiptShown?.(device, conversation, user, delivered, read);
  };
  deviceCrashed: Required<Observations>["deviceCrashed"] = (device, position) => {
    for (const checker of this.#checkers) checker.deviceCrashed?.(device, position);
  };
}
