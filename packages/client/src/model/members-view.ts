import type { FrameNamed } from "@hongyan/protocol";
import type { Member, MemberRole, MembersSnapshot, RefreshableView } from "../api.ts";
import type { Answer, Request } from "../engine/requests.ts";
import { Cell } from "./cell.ts";

/** Members that a view loads at most; larger groups are shown in part. */
const membersMax = 5_000;

/** The members of one conversation, loaded while somebody looks. */
export class MembersView implements RefreshableView<MembersSnapshot> {
  readonly conversation: string;
  readonly #call: (request: Request) => Promise<Answer>;
  readonly #named: (user: string, name: string) => void;
  readonly #cell: Cell<MembersSnapshot>;
  #refreshing: Promise<void> | undefined;
  #isOld = false;

  constructor(
    conversation: string,
    call: (request: Request) => Promise<Answer>,
    named: (user: string, name: string) => void,
  ) {
    this.conversation = conversation;
    this.#call = call;
    this.#named = named;
    this.#cell = new Cell<MembersSnapshot>({ conversation, members: [], loaded: false }, (isWatched) => {
      if (isWatched) this.refresh().catch(() => undefined);
    });
  }

  get snapshot(): MembersSnapshot {
    return this.#cell.snapshot;
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#cell.subscribe(listener);

  readonly refresh = (): Promise<void> => {
    // What changes while an answer is on its way needs another one.
    this.#isOld = this.#refreshing !== undefined;
    this.#refreshing ??= this.#load().finally(() => {
      this.#refreshing = undefined;
      if (this.#isOld) this.refresh().catch(() => undefined);
    });
    return this.#refreshing;
  };

  /** Something about the members has changed, or the connection is back. */
  changed(): void {
    if (this.#cell.isWatched) this.refresh().catch(() => undefined);
  }

  async #load(): Promise<void> {
    const { conversation } = this;
    const members = new Map<string, Member>();
    let after: string | undefined;
    do {
      const { reply, items } = await this.#call({ type: "members", conversation, after });
      for (const item of items) {
        if (item.type !== "member") continue;
        const { user, role, since, name } = item;
        members.set(user, { user, role: role as MemberRole, since, name });
        if (name !== undefined) this.#named(user, name);
      }
      after = (reply as FrameNamed<"members.ok">).next;
    } while (after !== undefined && members.size < membersMax);
    this.#cell.set({ conversation, members: [...members.values()], loaded: true });
  }
}
