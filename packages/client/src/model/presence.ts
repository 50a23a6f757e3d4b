import { limits } from "@hongyan/protocol";
import type { View } from "../api.ts";
import type { Answer, Request } from "../engine/requests.ts";
import { Cell } from "./cell.ts";

/**
 * Who is online, of the users that are looked at: those of one tick are asked for in one command, and the server tells
 * when it changes, for those that it was asked for last. Without a connection nobody knows.
 */
export class Presence {
  readonly #call: (request: Request) => Promise<Answer>;
  readonly #isLive: () => boolean;
  readonly #cells = new Map<string, Cell<boolean | undefined>>();
  /** Who is looked at, in the order in which that began. */
  readonly #watched = new Set<string>();
  readonly #wanted = new Set<string>();
  /** Whom the server was asked for on this connection: so many it remembers. */
  readonly #named = new Set<string>();
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
      cell = new Cell<boolean | undefined>(undefined, (isWatched) => this.#look(user, isWatched));
      this.#cells.set(user, cell);
    }
    return cell;
  }

  told(user: string, online: boolean): void {
    for (const users of this.#told) users.add(user);
    this.#set(user, online);
  }

  /** Connected: everybody who is looked at is asked for, as the session may be another one. */
  connected(): void {
    this.#named.clear();
    for (const user of this.#watched) this.#want(user);
  }

  disconnected(): void {
    for (const user of this.#watched) this.#set(user, undefined);
  }

  #look(user: string, isWatched: boolean): void {
    if (isWatched) {
      this.#watched.add(user);
      return this.#want(user);
    }
    this.#set(user, undefined);
    this.#watched.delete(user);
  }

  /** Nobody who looks again must see what was true when they last did. */
  #set(user: string, online: boolean | undefined): void {
    if (this.#watched.has(user)) this.#cells.get(user)?.set(online);
  }

  #want(user: string): void {
    this.#wanted.add(user);
    if (this.#isScheduled || !this.#isLive()) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      const users = [...this.#wanted].filter((one) => this.#watched.has(one));
      this.#wanted.clear();
      if (users.length > 0) void this.#ask(users);
    });
  }

  async #ask(wanted: readonly string[]): Promise<void> {
    const users = this.#name(wanted);
    const told = new Set<string>();
    this.#told.add(told);
    try {
      const { items } = await this.#call({ type: "presence", users, watch: true });
      const online = new Set(items.flatMap((item) => (item.type === "online" ? [item.user] : [])));
      for (const user of users) if (!told.has(user)) this.#set(user, online.has(user));
    } catch {
      // A server that does not say it, or does not know the command, or did not answer: nobody knows until somebody is
      // looked at again, or the next connection.
    } finally {
      this.#told.delete(told);
    }
  }

  /**
   * Whom to ask for. The server forgets those it was asked for first: where they would be too many, it is asked for
   * everybody who is looked at anew, so that those whom nobody looks at any more are forgotten. Beyond what it
   * remembers nobody knows.
   */
  #name(wanted: readonly string[]): readonly string[] {
    for (const user of wanted) this.#named.add(user);
    if (this.#named.size <= limits.watchedMax) return wanted;
    const all = [...this.#watched];
    const users = all.slice(-limits.watchedMax);
    for (const user of all.slice(0, -limits.watchedMax)) this.#set(user, undefined);
    this.#named.clear();
    for (const user of users) this.#named.add(user);
    return users;
  }
}
