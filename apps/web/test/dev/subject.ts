import type { View } from "@hongyan/client";

/** A view whose snapshot is set by hand. */
export class Subject<S> implements View<S> {
  readonly #listeners = new Set<() => void>();
  #snapshot: S;

  constructor(snapshot: S) {
    this.#snapshot = snapshot;
  }

  get snapshot(): S {
    return this.#snapshot;
  }

  set(snapshot: S): void {
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
