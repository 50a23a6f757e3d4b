import type { View } from "@hongyan/client";
import type { KeyValues } from "../sign-in/accounts.ts";

/** Drafts longer than this are kept only while the page is open: the storage of a browser is small. */
const keptCharactersMax = 50_000;
const writeDelayMs = 400;

/** What is written and not yet sent, per conversation of one account. Kept across reloads; written in batches. */
export class Drafts implements View<ReadonlyMap<string, string>> {
  readonly #storage: KeyValues;
  readonly #prefix: string;
  readonly #listeners = new Set<() => void>();
  readonly #unwritten = new Set<string>();
  #texts: ReadonlyMap<string, string>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(storage: KeyValues, account: string) {
    this.#storage = storage;
    this.#prefix = `hongyan.draft.${account}/`;
    this.#texts = this.#load();
  }

  get snapshot(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get(conversation: string): string {
    return this.#texts.get(conversation) ?? "";
  }

  set(conversation: string, text: string): void {
    if (this.get(conversation) === text) return;
    const texts = new Map(this.#texts);
    if (text === "") texts.delete(conversation);
    else texts.set(conversation, text);
    this.#texts = texts;
    this.#unwritten.add(conversation);
    this.#timer ??= setTimeout(() => this.flush(), writeDelayMs);
    for (const listener of this.#listeners) listener();
  }

  /** Writes what has changed; called when the page goes away too. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const conversation of this.#unwritten) {
      const text = this.get(conversation);
      try {
        if (text === "" || text.length > keptCharactersMax)
          this.#storage.removeItem(this.#prefix + conversation);
        else this.#storage.setItem(this.#prefix + conversation, text);
      } catch {
        // Full or refused: the draft lasts as long as the page.
      }
    }
    this.#unwritten.clear();
  }

  #load(): ReadonlyMap<string, string> {
    const texts = new Map<string, string>();
    try {
      for (let index = 0; index < this.#storage.length; index++) {
        const key = this.#storage.key(index);
        if (key?.startsWith(this.#prefix))
          texts.set(key.slice(this.#prefix.length), this.#storage.getItem(key) ?? "");
      }
    } catch {
      // Refused: nothing is kept in this browser.
    }
    return texts;
  }
}
