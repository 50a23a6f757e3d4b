import type { View } from "../api.ts";

/** A value that can be watched. Its functions may be passed around without it, as `useSyncExternalStore` does. */
export class Cell<S> implements View<S> {
  readonly #listeners = new Set<() => void>();
  readonly #watched: ((isWatched: boolean) => void) | undefined;
  #snapshot: S;

  /** `watched` is told when the first listener comes and when the last one goes. */
  constructor(snapshot: S, watched?: (isWatched: boolean) => void) {
    this.#snapshot = snapshot;
    this.#watched = watched;
  }

  get snapshot(): S {
    return this.#snapshot;
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  set(snapshot: S): void {
    if (snapshot === this.#snapshot) return;
    this.#snapshot = snapshot;
    for (const listener of [...this.#listeners]) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    // Each subscription is its own, also where the same function is given twice.
    const own = (): void => listener();
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#watched?.(true);
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#watched?.(false);
    };
  };
}

/** A value that is made when it is looked at after a change: many changes between two looks cost one making. */
export class LazyCell<S> implements View<S> {
  readonly #make: (before: S | undefined) => S;
  readonly #listeners = new Set<() => void>();
  #snapshot: S | undefined;
  #isOld = true;

  constructor(make: (before: S | undefined) => S) {
    this.#make = make;
  }

  get snapshot(): S {
    if (this.#isOld) {
      this.#isOld = false;
      this.#snapshot = this.#make(this.#snapshot);
    }
    return this.#snapshot as S;
  }

  changed(): void {
    this.#isOld = true;
    for (const listener of [...this.#listeners]) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  };
}
