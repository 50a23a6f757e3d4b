import type { Journal } from "@hongyan/core";
import { StoreError } from "../store-error.ts";
import { probeData } from "./data-format.ts";
import type { KeyValue, Operation } from "./key-value.ts";
import { type Delay, type Disk, recover } from "./recovery.ts";

export interface VolumeOptions {
  readonly keyValue: KeyValue;
  readonly epoch: string;
  /** Names the data in messages. */
  readonly place: string;
  /** Without one, a failed store stays failed. */
  readonly disk: Disk | undefined;
  readonly delay: Delay;
  readonly journal: Journal | undefined;
  /** A write failed: what memory believes about the disk is void. */
  readonly failed: () => void;
  readonly recovered: () => void;
}

/** How long it takes at most to notice that the place of the data is gone. */
const lookEveryMs = 1_000;

type State =
  | { readonly kind: "serving"; readonly keyValue: KeyValue }
  /** `keyValue` still answers reads, until the disk is opened anew. */
  | { readonly kind: "failed"; readonly keyValue: KeyValue | undefined; readonly cause: unknown }
  | { readonly kind: "closed" };

/**
 * The disk with its troubles. A write that fails takes the volume out of service for writes at once (G1: nothing is
 * acknowledged whose disk is in doubt), and a recovery in the background brings it back. So does a place that is gone,
 * which is looked for once a second.
 *
 *   serving --write fails, place gone--> failed --opened anew, probe written--> serving
 *      '----------------close----------------> closed <--------close---'
 */
export class Volume {
  readonly #options: VolumeOptions;
  readonly #abort = new AbortController();
  #state: State;
  #recovery: Promise<void> = Promise.resolve();
  #looks: NodeJS.Timeout | undefined;

  constructor(options: VolumeOptions) {
    this.#options = options;
    this.#state = { kind: "serving", keyValue: options.keyValue };
    if (options.keyValue.present !== undefined)
      this.#looks = setInterval(() => void this.#look(), lookEveryMs).unref();
  }

  /** For reads. Throws where there is nothing to read from now. */
  get reading(): KeyValue {
    const state = this.#state;
    if (state.kind === "closed") throw closed();
    if (state.keyValue === undefined) throw this.#failure(state.kind === "failed" ? state.cause : undefined);
    return state.keyValue;
  }

  /** For commits. Throws while writes are not taken. */
  get writing(): KeyValue {
    const state = this.#state;
    if (state.kind === "closed") throw closed();
    if (state.kind === "failed") throw this.#failure(state.cause);
    return state.keyValue;
  }

  async write(operations: readonly Operation[]): Promise<void> {
    const keyValue = this.writing;
    try {
      await keyValue.write(operations);
    } catch (error) {
      this.#fail(keyValue, error);
      throw this.#failure(error);
    }
    // The place was found to be gone meanwhile: what was written may be nowhere.
    const state = this.#state;
    if (state.kind === "failed") throw this.#failure(state.cause);
    if (state.kind === "serving" && state.keyValue !== keyValue) throw this.#failure(undefined);
  }

  /** From now on nobody looks whether the place is there: the data live elsewhere. */
  unwatch(): void {
    clearInterval(this.#looks);
  }

  async close(): Promise<void> {
    this.unwatch();
    const state = this.#state;
    this.#state = { kind: "closed" };
    this.#abort.abort();
    await this.#recovery;
    if (state.kind !== "closed") await state.keyValue?.close();
  }

  async #look(): Promise<void> {
    const state = this.#state;
    if (state.kind !== "serving") return;
    const { keyValue } = state;
    try {
      await keyValue.present?.();
    } catch (error) {
      if (this.#state === state) this.#fail(keyValue, error);
    }
  }

  #fail(keyValue: KeyValue, cause: unknown): void {
    const { journal, disk, failed } = this.#options;
    if (this.#state.kind !== "serving") return;
    this.#state = { kind: "failed", keyValue, cause };
    failed();
    journal?.warn("store.failed", { place: this.#options.place, error: String(cause) });
    if (disk !== undefined) this.#recovery = this.#recover(keyValue, disk, cause);
  }

  async #recover(old: KeyValue, disk: Disk, cause: unknown): Promise<void> {
    const { place, epoch, delay, journal, recovered } = this.#options;
    const release = async (): Promise<void> => {
      if (this.#state.kind === "failed") this.#state = { kind: "failed", keyValue: undefined, cause };
      // What closing a broken disk says adds nothing.
      await old.close().catch(() => {});
    };
    const verify = (keyValue: KeyValue): Promise<void> => probeData(keyValue, place, epoch);
    let opened: KeyValue;
    try {
      opened = await recover(disk, release, verify, delay, journal, this.#abort.signal);
    } catch {
      // Closed meanwhile.
      return;
    }
    if (this.#state.kind !== "failed") {
      await opened.close();
      return;
    }
    this.#state = { kind: "serving", keyValue: opened };
    recovered();
    journal?.info("store.recovered", { place });
  }

  #failure(cause: unknown): StoreError {
    if (cause instanceof StoreError && cause.code === "gone") return cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new StoreError(
      "failed",
      `${this.#options.place} takes no writes since one failed: ${reason}`,
      cause,
    );
  }
}

export function closed(): StoreError {
  return new StoreError("closed", "The store is closed");
}
