import { type Marker, markerText } from "../ledger/marker.ts";
import type { DeviceId, Observations } from "./observations.ts";

/** What applications have given to their clients, and what became of it. */
export class OutboxWatch implements Observations {
  /** Durable in a device's outbox and not settled yet. */
  readonly open = new Map<string, Marker>();
  readonly #settled = new Set<string>();

  accepted(_device: DeviceId, marker: Marker): void {
    if (!this.#settled.has(markerText(marker))) this.open.set(markerText(marker), marker);
  }

  refused(_device: DeviceId, marker: Marker): void {
    this.#settle(marker);
  }

  stored(_domain: string, _conversation: string, entry: { readonly marker: Marker | undefined }): void {
    if (entry.marker !== undefined) this.#settle(entry.marker);
  }

  #settle(marker: Marker): void {
    this.#settled.add(markerText(marker));
    this.open.delete(markerText(marker));
  }
}
