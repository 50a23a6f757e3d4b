import { limits, ProtocolError } from "@hongyan/protocol";
import type { View } from "../api.ts";
import type { Answer, Request } from "../engine/requests.ts";
import { Cell } from "./cell.ts";

/**
 * Who is online, of the users that are looked at: those of one tick are asked for in one command, and the server tells
 * when it changes. Without a connection nobody knows.
 */
export class Presence {
  readonly #call: (request: Request) => Promise<Answer>;
  readonly #isLive: () => boolean;
  readonly #cells = new Map<string, Cell<boolean | undefined>>();
  readonly #wanted = new Set<string>();
  /** For each question under way the users of whom the server has told meanwhile: that is newer than its answer. */
  readonly #told = new Set<Set<string>>();
  #isScheduled = false;

  constructor(call: (request: Request) => Promise<Answer>, isLive: () => boolean) {
    this.#call = call;
    this.#isLive = isLive;
  }

  online(user: string): View<boolean | undefined> {
    let cell = this.#cells.get(user);
    if (cell === undefined) {
      cell = new Cell<boolean | undefined>(undefined, (isWatched) => {
        if (isWatched) this.#want(user);
        else this.#cells.delete(user);
      });
      this.#cells.set(user, cell);
    }
    return cell;
  }

  told(user: string, online: boolean): void {
    for (const users of this.#told) users.add(user);
    this.#cells.get(user)?.set(online);
  }

  /** Connected: everybody who is looked at is asked for, as the session may be another one. */
  connected(): void {
    for (const user of this.#cells.keys()) this.#want(user);
  }

  disconnected(): void {
    for (const cell of this.#cells.values()) cell.set(undefined);
  }

  #want(user: string): void {
    this.#wanted.add(user);
    if (this.#isScheduled || !this.#isLive()) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      const users = [...this.#wanted];
      this.#wanted.clear();
      for (let at = 0; at < users.length; at += limits.watchedMax)
        void this.#watch(users.slice(at, at + limits.watchedMax));
    });
  }

  async #watch(users: readonly string[]): Promise<void> {
    const told = new Set<string>();
    this.#told.add(told);
    try {
      const { items } = await this.#call({ type: "presence", users, watch: true });
      const online = new Set(items.flatMap((item) => (item.type === "online" ? [item.user] : [])));
      for (const user of users) if (!told.has(user)) this.#cells.get(user)?.set(online.has(user));
    } catch (error) {
      // A server that does not say it, or does not know the command. Everything else ends with the connection, and
      // the next one asks again.
      if (!(error instanceof ProtocolError)) throw error;
    } finally {
      this.#told.delete(told);
    }
  }
}
