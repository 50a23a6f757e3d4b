import { setTimeout as delay } from "node:timers/promises";
import { StoreError } from "../store-error.ts";
import { BucketMap } from "./bucket-map.ts";
import { RolledBack } from "./errors.ts";
import { refuseMisplaced } from "./misplaced.ts";
import type { Server } from "./server.ts";

/** So long what meets a bucket that moves is tried again. */
const patienceMs = 10_000;
const delayMsFirst = 5;
const delayMsMax = 200;

/** The map that a node goes by, until it is told that it is not true any more. */
export class CurrentMap {
  readonly #servers: readonly Server[];
  #map: BucketMap;
  #renewal: Promise<void> | undefined;

  /** Rejects with `unsuitable` where the servers do not hold what the map of home says. */
  static async read(servers: readonly Server[]): Promise<CurrentMap> {
    await refuseMisplaced(servers);
    return new CurrentMap(servers, await BucketMap.read(servers));
  }

  private constructor(servers: readonly Server[], map: BucketMap) {
    this.#servers = servers;
    this.#map = map;
  }

  /** Runs `work`, and again by a newer map where it rejects with `RolledBack`. Rejects with `failed` where that lasts. */
  async goBy<T>(work: (map: BucketMap) => Promise<T>): Promise<T> {
    const until = performance.now() + patienceMs;
    for (let delayMs = 0; ; delayMs = Math.min(Math.max(delayMs * 2, delayMsFirst), delayMsMax)) {
      const map = this.#map;
      try {
        return await work(map);
      } catch (error) {
        if (!(error instanceof RolledBack)) throw error;
        if (performance.now() > until)
          throw new StoreError("failed", `${error.message}, and that takes long: try it again`, error);
      }
      if (delayMs > 0) await delay(delayMs);
      if (this.#map === map) await this.#renew();
    }
  }

  #renew(): Promise<void> {
    this.#renewal ??= BucketMap.read(this.#servers)
      .then((map) => {
        this.#map = map;
      })
      .finally(() => {
        this.#renewal = undefined;
      });
    return this.#renewal;
  }
}
