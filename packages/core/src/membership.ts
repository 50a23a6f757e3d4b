import { isConversationId, isId, ProtocolError } from "@hongyan/protocol";
import type { NewConversation, Role } from "./backend.ts";
import type { Writes } from "./committer.ts";
import type { Conversation, Member } from "./conversation.ts";
import { recordKeys, userSubject } from "./keys.ts";
import { decodeMessage } from "./message.ts";
import type { NodeContext } from "./node-context.ts";
import { encodeNotice, type Notice } from "./notice.ts";
import type { Append, CommitOutcome, Put } from "./ports.ts";
import { type ConversationRecord, encodeRecord, type MemberRecord } from "./record.ts";

const noBytes = new Uint8Array(0);

/** How often a change is decided anew because another node was faster. */
const triesMax = 20;

/**
 * Who is in which conversation. Every change is one commit: the records and the system entry that tells of it. It
 * lands only on the version and the head that it was decided on; where another node was faster it is decided anew.
 * Changes of one conversation run one after another on a node; `by` is the acting user, empty for the backend.
 */
export class Membership {
  readonly #node: NodeContext;
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(node: NodeContext) {
    this.#node = node;
  }

  async create(
    domain: string,
    by: string,
    wanted: NewConversation,
  ): Promise<{ conversation: string; created: boolean }> {
    const id = wanted.conversation ?? `g-${this.#node.random.id()}`;
    if (!isId(id))
      throw new ProtocolError("bad_request", "a group id is 1 to 64 characters of A-Z a-z 0-9 _ . @ + = -");
    checkMembers(wanted.members, this.#node.settings.membersMax);
    return this.#decided(domain, id, async () => {
      const existing = await this.#node.conversations.load(domain, id);
      if (existing !== undefined) {
        if (existing.kind === "group" && existing.by === by) return { conversation: id, created: false };
        throw new ProtocolError("conflict", "this conversation id is taken");
      }
      const now = this.#node.clock.now();
      const record: ConversationRecord = {
        kind: "group",
        name: wanted.name,
        open: wanted.open ?? false,
        createdAt: now,
        by,
      };
      const members = new Map(wanted.members.map(({ user, role }) => [user, role]));
      if (by !== "") members.set(by, "owner");
      const puts: Put[] = [
        { key: recordKeys.conversation(domain, id), value: encodeRecord(record), expect: 0 },
      ];
      for (const [user, role] of members)
        puts.push(...memberPuts(domain, id, user, { role, since: 1 }, undefined));
      const outcome = await this.#node.committer.transact(
        () => ({
          puts,
          appends: [this.#entry(domain, id, by, { event: "created", details: { by, name: wanted.name } })],
        }),
        () => this.#node.conversations.created(domain, id),
      );
      // Another node was faster, perhaps with the same request.
      if (outcome.puts[0] === undefined) return "again";
      const conversation = await this.#node.conversations.load(domain, id);
      if (conversation !== undefined)
        this.#announce(
          conversation,
          outcome,
          by,
          { event: "created", details: { by, name: wanted.name } },
          [],
          true,
        );
      return { conversation: id, created: true };
    });
  }

  /** Adds whoever is not a member yet; returns how many. */
  async add(
    domain: string,
    id: string,
    by: string,
    users: readonly { user: string; role: Role }[],
  ): Promise<number> {
    return this.#change(domain, id, by, "admin", (conversation) => {
      const named = new Set<string>();
      const fresh = users.filter(({ user }) => {
        if (conversation.member(user) !== undefined || named.has(user)) return false;
        named.add(user);
        return true;
      });
      checkMembers(fresh, this.#node.settings.membersMax - conversation.memberCount);
      if (fresh.some(({ role }) => role !== "member") && by !== "") requireRole(conversation, by, "owner");
      if (fresh.length === 0) return undefined;
      return {
        notice: { event: "added", details: { users: fresh.map(({ user }) => user), by } },
        entering: fresh,
        leaving: [],
        result: fresh.length,
      };
    });
  }

  /** Removes members; returns how many. */
  async remove(domain: string, id: string, by: string, users: readonly string[]): Promise<number> {
    return this.#change(domain, id, by, "admin", (conversation) => {
      const leaving = [...new Set(users)].filter((user) => conversation.member(user) !== undefined);
      if (leaving.some((user) => conversation.member(user)?.role === "owner") && by !== "") {
        throw new ProtocolError("forbidden", "an owner can only leave by themselves");
      }
      if (leaving.length === 0) return undefined;
      const heir = heirOf(conversation, leaving);
      return {
        notice: { event: "removed", details: { users: leaving, by, owner: heir?.user } },
        entering: heir === undefined ? [] : [heir],
        leaving,
        result: leaving.length,
      };
    });
  }

  async join(domain: string, id: string, user: string): Promise<number> {
    await this.#change(domain, id, "", "member", (conversation) => {
      // A closed group answers like one that does not exist: its id is no invitation.
      if (conversation.kind !== "group" || (!conversation.open && conversation.member(user) === undefined))
        throw notFound();
      if (conversation.member(user) !== undefined) return undefined;
      checkMembers([{ user, role: "member" }], this.#node.settings.membersMax - conversation.memberCount);
      return {
        notice: { event: "joined", details: { users: [user] } },
        entering: [{ user, role: "member" }],
        leaving: [],
        from: user,
        result: 1,
      };
    });
    return (await this.#node.conversations.current(domain, [id]))[0]?.head ?? 0;
  }

  async leave(domain: string, id: string, user: string): Promise<void> {
    await this.#change(domain, id, user, "member", (conversation) => {
      const heir = heirOf(conversation, [user]);
      return {
        notice: { event: "left", details: { users: [user], owner: heir?.user } },
        entering: heir === undefined ? [] : [heir],
        leaving: [user],
        result: 1,
      };
    });
  }

  async setRole(domain: string, id: string, by: string, user: string, role: Role): Promise<void> {
    await this.#change(domain, id, by, "owner", (conversation) => {
      const member = conversation.member(user);
      if (member === undefined) throw notFound();
      if (member.role === role) return undefined;
      if (member.role === "owner" && conversation.ownerCount === 1)
        throw new ProtocolError("forbidden", "a group keeps at least one owner");
      return {
        notice: { event: "role", details: { user, role, by } },
        entering: [{ user, role, since: member.since }],
        leaving: [],
        result: 1,
      };
    });
  }

  async update(
    domain: string,
    id: string,
    by: string,
    change: { name?: string | undefined; open?: boolean | undefined },
  ): Promise<void> {
    await this.#change(domain, id, by, "admin", (conversation) => {
      const name = change.name ?? conversation.name;
      const open = change.open ?? conversation.open;
      if (name === conversation.name && open === conversation.open) return undefined;
      return {
        notice: { event: "renamed", details: { name, open, by } },
        entering: [],
        leaving: [],
        about: { name, open },
        result: 1,
      };
    });
  }

  /** One change: decided on the conversation in memory when its commit begins, then told to everybody. */
  async #change(
    domain: string,
    id: string,
    by: string,
    atLeast: Role,
    decide: (conversation: Conversation) => Change | undefined,
  ): Promise<number> {
    if (!isConversationId(id)) throw notFound();
    return this.#decided(domain, id, async () => {
      const [conversation] = await this.#node.conversations.current(domain, [id]);
      if (conversation === undefined || conversation.version === 0) throw notFound();
      let change: Change | undefined;
      conversation.busy++;
      try {
        const outcome = await this.#node.committer.transact(
          () => {
            if (!conversation.isCurrent) throw new ProtocolError("unavailable", undefined, 100);
            change = undefined;
            if (by !== "") requireRole(conversation, by, atLeast);
            if (conversation.kind === "direct")
              throw new ProtocolError("forbidden", "a direct conversation has two members for ever");
            change = decide(conversation);
            return change === undefined ? { puts: [], appends: [] } : this.#writes(conversation, by, change);
          },
          (committed) => {
            if (change !== undefined && committed.puts[0] !== undefined)
              this.#apply(conversation, by, change, committed);
          },
        );
        if (change === undefined) return 0;
        return outcome.puts[0] === undefined ? "again" : (change as Change).result;
      } finally {
        conversation.busy--;
      }
    });
  }

  #writes(conversation: Conversation, by: string, change: Change): Writes {
    const { domain, id } = conversation;
    const next = conversation.head + 1;
    const { name, open } = { ...conversation, ...change.about };
    const record: ConversationRecord = {
      kind: conversation.kind,
      name,
      open,
      createdAt: conversation.createdAt,
      by: conversation.by,
    };
    // The conversation's record is put with every change: its version is what two nodes would collide on.
    const puts: Put[] = [
      {
        key: recordKeys.conversation(domain, id),
        value: encodeRecord(record),
        expect: conversation.version,
        head: { log: conversation.log, seq: conversation.head },
      },
    ];
    for (const { user, role, since } of change.entering) {
      puts.push(...memberPuts(domain, id, user, { role, since: since ?? next }, 0));
      if (since === undefined)
        puts.push({ key: recordKeys.departed(domain, id, user), value: undefined, guard: 0 });
    }
    for (const user of change.leaving) {
      const { role, since } = conversation.member(user) as Member;
      puts.push(...memberPuts(domain, id, user, { role, since, until: next }, 0));
      puts.push({ key: recordKeys.departed(domain, id, user), value: noBytes, guard: 0 });
    }
    return {
      puts,
      appends: [this.#entry(domain, id, change.from ?? by, change.notice)],
      leaving: change.leaving.length === 0 ? undefined : { log: conversation.log, users: change.leaving },
    };
  }

  #apply(conversation: Conversation, by: string, change: Change, outcome: CommitOutcome): void {
    const seq = outcome.appends[0]?.seq ?? conversation.head;
    const version = outcome.puts[0] ?? conversation.version;
    // Read from the store meanwhile, perhaps with later changes of other nodes.
    if (version > conversation.version) take(conversation, change, seq, version);
    const gone = change.leaving.map((user) => userSubject(conversation.domain, user));
    const isForAll = change.about !== undefined;
    this.#announce(conversation, outcome, change.from ?? by, change.notice, gone, isForAll);
    if (!isForAll && change.entering.length > 0) {
      const subjects = change.entering.map(({ user }) => userSubject(conversation.domain, user));
      this.#node.delivery.toUsers(subjects, { kind: "conversation", conversation: conversation.id, seq });
    }
  }

  #announce(
    conversation: Conversation,
    outcome: CommitOutcome,
    from: string,
    notice: Notice,
    also: readonly string[],
    isForAll: boolean,
  ): void {
    const stored = outcome.appends[0];
    if (stored === undefined || stored.status !== "stored") return;
    const message = decodeMessage(conversation.id, {
      seq: stored.seq,
      time: stored.time,
      body: encodeNotice(from, notice),
    });
    conversation.append(message, true);
    this.#node.delivery.publish(conversation, message, undefined, also);
    if (isForAll)
      this.#node.delivery.toUsers(conversation.audience, {
        kind: "conversation",
        conversation: conversation.id,
        seq: message.seq,
      });
  }

  #entry(domain: string, id: string, from: string, notice: Notice): Append {
    return {
      log: `${domain}/conversation/${id}`,
      producer: "",
      number: 0,
      time: this.#node.clock.now(),
      body: encodeNotice(from, notice),
      guard: 0,
    };
  }

  /** Runs `work` alone on this node, and again where another node was faster. */
  #decided<T>(domain: string, id: string, work: () => Promise<T | "again">): Promise<T> {
    return this.#alone(domain, id, async () => {
      for (let tries = 0; tries < triesMax; tries++) {
        const result = await work();
        if (result !== "again") return result;
      }
      throw new ProtocolError("unavailable", "the conversation is changed at the same time elsewhere", 100);
    });
  }

  /** Runs `work` after the changes of the same conversation that were asked for before. */
  async #alone<T>(domain: string, id: string, work: () => Promise<T>): Promise<T> {
    const key = `${domain}/${id}`;
    const before = this.#running.get(key);
    const mine = (before ?? Promise.resolve()).then(work, work);
    this.#running.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#running.get(key) === mine) this.#running.delete(key);
    }
  }
}

interface Change {
  readonly notice: Notice;
  /** New members; with `since`, a member whose role changes. */
  readonly entering: readonly { readonly user: string; readonly role: Role; readonly since?: number }[];
  readonly leaving: readonly string[];
  readonly about?: { readonly name: string | undefined; readonly open: boolean };
  /** Who the entry is from, where it is not the acting user. */
  readonly from?: string;
  readonly result: number;
}

/** Takes a committed change into memory. */
function take(conversation: Conversation, change: Change, seq: number, version: number): void {
  conversation.version = version;
  if (change.about !== undefined) {
    conversation.name = change.about.name;
    conversation.open = change.about.open;
  }
  for (const { user, role, since } of change.entering) {
    conversation.setMember(user, { role, since: since ?? seq }, 0);
  }
  for (const user of change.leaving) {
    const { role, since } = conversation.member(user) as Member;
    conversation.setMember(user, { role, since, until: seq }, 0);
  }
}

const ranks: Record<Role, number> = { member: 0, admin: 1, owner: 2 };

function requireRole(conversation: Conversation, user: string, atLeast: Role): void {
  const member = conversation.member(user);
  if (member === undefined) throw notFound();
  if (ranks[member.role] < ranks[atLeast])
    throw new ProtocolError("forbidden", `only an ${atLeast} may do this`);
}

/**
 * Who becomes owner when the last owner is among `leaving`, so that somebody can manage the group: the
 * longest-standing admin, else the longest-standing member. A group that had no owner is the backend's, and stays so.
 */
function heirOf(
  conversation: Conversation,
  leaving: readonly string[],
): { user: string; role: "owner"; since: number } | undefined {
  const gone = new Set(leaving);
  const owners = leaving.filter((user) => conversation.member(user)?.role === "owner").length;
  if (owners === 0 || owners < conversation.ownerCount) return undefined;
  let heir: Member | undefined;
  for (const member of conversation.members())
    if (!gone.has(member.user) && (heir === undefined || isBefore(member, heir))) heir = member;
  return heir && { user: heir.user, role: "owner", since: heir.since };
}

function isBefore(one: Member, other: Member): boolean {
  if (one.role !== other.role) return ranks[one.role] > ranks[other.role];
  return one.since !== other.since ? one.since < other.since : one.user < other.user;
}

function checkMembers(
  members: readonly { readonly user: string; readonly role?: Role }[],
  max: number,
): void {
  for (const { user } of members)
    if (!isId(user)) throw new ProtocolError("bad_request", `not a user id: ${user.slice(0, 80)}`);
  if (members.length > max) throw new ProtocolError("too_large", "the group would have too many members");
}

function memberPuts(
  domain: string,
  id: string,
  user: string,
  record: MemberRecord,
  guard: number | undefined,
): Put[] {
  const value = encodeRecord(record);
  return [
    { key: recordKeys.member(domain, id, user), value, guard: guard ?? 0 },
    { key: recordKeys.membership(domain, user, id), value, guard: guard ?? 0 },
  ];
}

/** Makes a direct conversation exist: the records to be written with its first message. */
export function directPuts(conversation: Conversation, by: string, now: number): Put[] {
  const { domain, id } = conversation;
  conversation.createdAt = now;
  const record: ConversationRecord = { kind: "direct", open: false, createdAt: now, by };
  // The other may have written first, on another node.
  const puts: Put[] = [{ key: recordKeys.conversation(domain, id), value: encodeRecord(record), expect: 0 }];
  for (const { user } of conversation.members()) {
    const value = encodeRecord({ role: "member", since: 1 });
    puts.push(
      { key: recordKeys.member(domain, id, user), value },
      { key: recordKeys.membership(domain, user, id), value },
    );
  }
  return puts;
}

export function notFound(): ProtocolError {
  return new ProtocolError("not_found", "no such conversation");
}
