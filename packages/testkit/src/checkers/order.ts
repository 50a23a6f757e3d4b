import type { Frame, UnknownFrame } from "@hongyan/protocol";
import type { LedgerEntry } from "../ledger/entry.ts";
import { Ledger } from "../ledger/ledger.ts";
import { type Marker, markerIn, markerText } from "../ledger/marker.ts";
import type { Bench, DeviceId, HandedMessage, LinkView, Observations } from "./observations.ts";

/** Devices that do not promise an order among their sends: several programs at once. */
export const unorderedDevices: ReadonlySet<string> = new Set(["backend", "raw"]);

/** G3: seqs are contiguous, a sender's messages keep their order, and everybody sees the one order of the log. */
export class OrderChecker implements Observations {
  readonly #bench: Bench;
  readonly #ledger: Ledger;
  readonly #heads = new Map<string, number>();
  /** The last number of each device in each log. */
  readonly #numbers = new Map<string, number>();
  /** What an application was told will never be stored. */
  readonly #refused = new Set<string>();

  constructor(bench: Bench, ledger: Ledger) {
    this.#bench = bench;
    this.#ledger = ledger;
  }

  stored(domain: string, conversation: string, entry: LedgerEntry): void {
    const key = Ledger.key(domain, conversation);
    const head = this.#heads.get(key) ?? 0;
    if (entry.seq !== head + 1)
      return this.#bench.object("G3", `${key}: #${entry.seq} was stored after #${head}`);
    this.#heads.set(key, entry.seq);
    const { marker } = entry;
    if (marker === undefined || unorderedDevices.has(marker.device)) return;
    // A copy that was held up on the way, of what was refused while its sender was no member: it has no place in the
    // order any more, because the sender has gone on without it.
    if (this.#refused.has(markerText(marker))) return;
    const sender = `${key} ${marker.user}/${marker.device}`;
    const last = this.#numbers.get(sender) ?? 0;
    if (marker.number <= last)
      return this.#bench.object(
        "G3",
        `${sender} sent ${marker.number} before ${last}; the log has them the other way round`,
      );
    this.#numbers.set(sender, marker.number);
  }

  refused(_device: DeviceId, marker: Marker): void {
    this.#refused.add(markerText(marker));
  }

  down(link: LinkView, frame: Frame | UnknownFrame): void {
    if (frame.type === "message") this.#mustBeInLog(link.device, frame, "received");
  }

  handed(device: DeviceId, message: HandedMessage): void {
    this.#mustBeInLog(device, message, "was handed");
  }

  #mustBeInLog(device: DeviceId, message: HandedMessage, verb: string): void {
    const entry = this.#ledger.entry(device.domain, message.conversation, message.seq);
    const who = `${device.domain}/${device.user}/${device.device} ${verb} ${message.conversation}#${message.seq}`;
    if (entry === undefined) {
      return this.#bench.doubt(() => {
        if (this.#ledger.entry(device.domain, message.conversation, message.seq) === undefined)
          this.#bench.object("G3", `${who} before it exists`);
        else this.#mustBeInLog(device, message, verb);
      });
    }
    if (
      entry.from !== message.from ||
      entry.clientMessageId !== message.clientMessageId ||
      !sameBody(entry, message.body)
    ) {
      const marker = markerIn(message.body);
      this.#bench.object(
        "G3",
        `${who} as ${marker === undefined ? "?" : markerText(marker)}; the log has ${entry.text.slice(0, 80)}`,
      );
    }
  }
}

function sameBody(entry: LedgerEntry, body: Uint8Array | undefined): boolean {
  return Buffer.from(body ?? []).toString() === entry.text;
}
