import type { Frame, UnknownFrame } from "@hongyan/protocol";
import type { DiskWrite } from "../disk/disk.ts";
import { type LedgerEntry, sameEntry } from "../ledger/entry.ts";
import { Ledger } from "../ledger/ledger.ts";
import { type Marker, markerIn, markersIn, markerText } from "../ledger/marker.ts";
import type { Bench, DeviceId, LinkView, Observations } from "./observations.ts";

/** G1: what a client was told is stored lies on the disk at that moment, and in every later life of the server. */
export class DurabilityChecker implements Observations {
  readonly #bench: Bench;
  readonly #ledger: Ledger;
  /** Markers in batches that are durable. */
  readonly #durable = new Set<string>();
  /** Commands under way, by connection and id. */
  readonly #sends = new WeakMap<LinkView, Map<number, { marker: Marker; conversation: string }>>();
  /** What clients were told, by log: seq → marker. */
  readonly #told = new Map<string, Map<number, string>>();

  constructor(bench: Bench, ledger: Ledger) {
    this.#bench = bench;
    this.#ledger = ledger;
  }

  durable(writes: readonly DiskWrite[]): void {
    for (const { value } of writes) {
      if (value === undefined) continue;
      for (const marker of markersIn(value)) this.#durable.add(markerText(marker));
    }
  }

  up(link: LinkView, frame: Frame): void {
    if (frame.type !== "send") return;
    const marker = markerIn(frame.body);
    if (marker === undefined) return;
    const sends = this.#sends.getOrInsertComputed(link, () => new Map());
    sends.set(frame.id, { marker, conversation: frame.conversation });
  }

  down(link: LinkView, frame: Frame | UnknownFrame): void {
    if (frame.type === "message") {
      const marker = markerIn(frame.body);
      if (marker !== undefined)
        this.#mustBeDurable(marker, `message ${frame.conversation}#${frame.seq} was shown`);
    }
    if (frame.type !== "send.ok") return;
    const send = this.#sends.get(link)?.get(frame.id);
    if (send === undefined)
      return this.#bench.object("G1", `send.ok ${frame.id} answers no send of this connection`);
    this.#mustBeDurable(send.marker, "send.ok was received");
    this.#remember(link.device, send.conversation, frame.seq, send.marker);
  }

  told(device: DeviceId, marker: Marker, seq: number): void {
    this.#mustBeDurable(marker, "the application was told that it is stored");
    this.#remember(device, marker.conversation, seq, marker);
  }

  recovered(domain: string, conversation: string, entries: readonly LedgerEntry[]): void {
    const key = Ledger.key(domain, conversation);
    for (const [seq, text] of this.#told.get(key) ?? []) {
      const entry = entries[seq - 1];
      const found = entry?.marker === undefined ? "nothing" : markerText(entry.marker);
      if (found !== text)
        return this.#bench.object(
          "G1",
          `${key}#${seq} was acknowledged as ${text}; after a crash there is ${found}`,
        );
    }
    for (const known of this.#ledger.log(domain, conversation)) {
      const entry = entries[known.seq - 1];
      if (entry === undefined || !sameEntry(entry, known)) {
        return this.#bench.object(
          "G1",
          `the store had committed ${key}#${known.seq} (${known.text.slice(0, 80)}); after a crash it is gone`,
        );
      }
    }
  }

  #mustBeDurable(marker: Marker, when: string): void {
    const text = markerText(marker);
    if (!this.#durable.has(text)) this.#bench.object("G1", `${when}, and ${text} is not on the disk`);
  }

  #remember(device: DeviceId, conversation: string, seq: number, marker: Marker): void {
    const key = Ledger.key(device.domain, conversation);
    const told = this.#told.getOrInsertComputed(key, () => new Map());
    told.set(seq, markerText(marker));
  }
}
