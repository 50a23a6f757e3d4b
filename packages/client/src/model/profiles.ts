import { limits } from "@hongyan/protocol";
import type { User, View } from "../api.ts";
import type { Answer, Request } from "../engine/requests.ts";
import { Cell } from "./cell.ts";

/** Names of users: those that are looked at in one tick are asked for in one command, and kept. */
export class Profiles {
  readonly #call: (request: Request) => Promise<Answer>;
  readonly #cells = new Map<string, Cell<User>>();
  /** Seen in passing before anybody has looked. */
  readonly #names = new Map<string, string>();
  readonly #wanted = new Set<string>();
  #isScheduled = false;

  constructor(call: (request: Request) => Promise<Answer>) {
    this.#call = call;
  }

  profile(user: string): View<User> {
    let cell = this.#cells.get(user);
    if (cell === undefined) {
      cell = new Cell<User>({ user, name: this.#names.get(user) }, (isWatched) => {
        if (isWatched && this.#cells.get(user)?.snapshot.name === undefined) this.#want(user);
      });
      this.#cells.set(user, cell);
    }
    return cell;
  }

  named(user: string, name: string | undefined): void {
    if (name !== undefined) this.#names.set(user, name);
    const cell = this.#cells.get(user);
    if (cell !== undefined && name !== undefined && cell.snapshot.name !== name) cell.set({ user, name });
  }

  /** The connection is back: what could not be asked is asked now. */
  connected(): void {
    if (this.#wanted.size > 0) this.#schedule();
  }

  async users(users: readonly string[]): Promise<readonly User[]> {
    const found: User[] = [];
    for (let at = 0; at < users.length; at += limits.listLengthMax) {
      const { items } = await this.#call({
        type: "users",
        users: users.slice(at, at + limits.listLengthMax),
      });
      for (const item of items) {
        if (item.type !== "user") continue;
        found.push({ user: item.user, name: item.name });
        this.named(item.user, item.name);
      }
    }
    return found;
  }

  #want(user: string): void {
    this.#wanted.add(user);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      const wanted = [...this.#wanted];
      this.users(wanted).then(
        () => {
          for (const user of wanted) this.#wanted.delete(user);
          this.#isScheduled = false;
          if (this.#wanted.size > 0) this.#schedule();
        },
        () => {
          this.#isScheduled = false;
        },
      );
    });
  }
}
