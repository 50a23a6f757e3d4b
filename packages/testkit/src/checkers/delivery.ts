import type { Ledger } from "../ledger/ledger.ts";
import {
  type Bench,
  type DeviceId,
  deviceKey,
  type HandedMessage,
  type Observations,
} from "./observations.ts";

/** What the application of one device has of one conversation. */
interface Shown {
  /** The first seq that was handed over. */
  readonly first: number;
  last: number;
}

/** G4: each device hands each message to its application once, in order, without a hole. */
export class DeliveryChecker implements Observations {
  readonly #bench: Bench;
  readonly #ledger: Ledger;
  readonly #shown = new Map<string, Map<string, Shown>>();

  constructor(bench: Bench, ledger: Ledger) {
    this.#bench = bench;
    this.#ledger = ledger;
  }

  handed(device: DeviceId, message: HandedMessage): void {
    const key = deviceKey(device);
    const conversations = this.#shown.getOrInsertComputed(key, () => new Map());
    const { conversation, seq } = message;
    const shown = conversations.get(conversation);
    // The own message is no secret, also where it was stored just after its sender had been removed.
    if (message.from !== device.user && !this.#isVisible(device, conversation, seq)) {
      return this.#bench.object(
        "G4",
        `${key} was handed ${conversation}#${seq}, which its user may not read`,
      );
    }
    if (shown === undefined) {
      conversations.set(conversation, { first: seq, last: seq });
      return;
    }
    if (seq <= shown.last)
      return this.#bench.object(
        "G4",
        `${key} was handed ${conversation}#${seq} after #${shown.last}: twice or out of order`,
      );
    // What a user could read in an earlier stay is gone with it; the present one has no holes.
    const stay = this.#ledger.stays(device.domain, conversation, device.user).at(-1);
    for (let missing = shown.last + 1; missing < seq; missing++) {
      if (stay !== undefined && missing >= stay.since && missing <= stay.until) {
        return this.#bench.object(
          "G4",
          `${key} was handed ${conversation}#${seq} after #${shown.last}: #${missing} is missing`,
        );
      }
    }
    shown.last = seq;
  }

  /** Between the handler and the storage lies a moment: what was not kept yet is handed over again, and no more. */
  deviceCrashed(device: DeviceId, position: (conversation: string) => number): void {
    for (const [conversation, shown] of this.#shown.get(deviceKey(device)) ?? []) {
      shown.last = Math.min(shown.last, Math.max(position(conversation), shown.first - 1));
    }
  }

  /** The last seq that the application of the device has; 0 for none. */
  last(device: DeviceId, conversation: string): number {
    return this.#shown.get(deviceKey(device))?.get(conversation)?.last ?? 0;
  }

  first(device: DeviceId, conversation: string): number | undefined {
    return this.#shown.get(deviceKey(device))?.get(conversation)?.first;
  }

  #isVisible({ domain, user }: DeviceId, conversation: string, seq: number): boolean {
    return this.#ledger
      .stays(domain, conversation, user)
      .some((stay) => seq >= stay.since && seq <= stay.until);
  }
}
