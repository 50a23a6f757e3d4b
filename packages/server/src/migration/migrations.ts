/** Lets the data of a running server be moved: at the request of `hongyan migrate`, or because it was begun before. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Journal } from "@hongyan/core";
import type { Config } from "../config/schema.ts";
import { type Movable, openPostgres } from "../process/engines.ts";
import { Control } from "./control.ts";
import { Migration } from "./migration.ts";

/** After one that has failed, it is tried again, and each time later. */
const retryMsFirst = 10_000;
const retryMsMax = 10 * 60_000;

export interface MigrationsOptions {
  readonly movable: Movable;
  readonly config: Config;
  readonly journal: Journal;
  /** From now on others may use the data as well. */
  readonly shared: () => void;
}

export class Migrations {
  readonly #options: MigrationsOptions;
  readonly #migration: Migration;
  readonly #closing = new AbortController();
  #control: Control | undefined;
  #goingOn: Promise<void> | undefined;

  constructor(options: MigrationsOptions) {
    const { movable, config, journal, shared } = options;
    this.#options = options;
    this.#migration = new Migration({
      ...movable,
      journal,
      shared,
      open: (url) => openPostgres(config, url, journal, true),
    });
  }

  async open(): Promise<void> {
    const { config, journal, movable } = this.#options;
    this.#control = await Control.open(config.data, this.#migration, journal);
    if (movable.goesOnTo !== undefined) this.#goingOn = this.#goOn(movable.goesOnTo);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#migration.close();
    await this.#goingOn;
    await this.#control?.close();
  }

  async #goOn(url: string): Promise<void> {
    const { signal } = this.#closing;
    for (let retryMs = retryMsFirst; !signal.aborted; retryMs = Math.min(2 * retryMs, retryMsMax)) {
      try {
        await this.#migration.run({ mode: "move", url }, () => {}, signal);
        return;
      } catch {
        // The journal knows.
        await sleep(retryMs, undefined, { signal }).catch(() => {});
      }
    }
  }
}
