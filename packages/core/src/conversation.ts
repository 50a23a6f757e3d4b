import { Audience, type Subjects } from "./audience.ts";
import type { ConversationKind, Role } from "./backend.ts";
import { conversationLog, userSubject } from "./keys.ts";
import type { LogId } from "./ports.ts";
import type { ConversationRecord, MemberRecord } from "./record.ts";

/** One user's part in a resident conversation. */
export interface Member {
  readonly user: string;
  /** Where the user's sessions are told of events. Made once: a fresh string is hashed anew wherever it is published. */
  readonly subject: string;
  role: Role;
  since: number;
  /** Set for a former member: the last seq it may read. */
  until: number | undefined;
  /** Version of the member's record, for compare-and-set. */
  version: number;
  /** Highest seq that any device of the user has acknowledged. */
  delivered: number;
  read: number;
  /**
   * Entries in (read, head] that do not count as unread for this user, less the `systemEntries` of the conversation: an
   * entry that counts for nobody changes one number and not one per member. Undefined until somebody asks.
   */
  uncounted: number | undefined;
  /** Highest seq that the user has sent, as far as this node knows; decides who wants receipts. */
  lastSent: number;
}

/**
 * A conversation in the memory of this node: what deciding and fanning out need, without asking the store. It is right
 * up to its head: every change of members up to there is known. Whoever deals with a later entry catches up first.
 */
export class Conversation {
  readonly domain: string;
  readonly id: string;
  readonly log: LogId;
  readonly kind: ConversationKind;
  /** Milliseconds since 1970; 0 until somebody has written in a direct conversation. */
  createdAt: number;
  by: string;
  name: string | undefined;
  open: boolean;
  /** Version of the record; 0 for a direct conversation in which nobody has written yet. */
  version: number;
  head: number;
  /** Members, and former members who may still read what they have seen. */
  readonly people = new Map<string, Member>();
  memberCount = 0;
  ownerCount = 0;
  /** System entries that came since this object was made. */
  systemEntries = 0;
  /** Set when used, cleared by the sweep that evicts: second chance. */
  touched = true;
  /** Work under way that holds on to this object; it is not evicted meanwhile. */
  busy = 0;
  /** False once it was forgotten: whoever still holds it must not decide by it any more. */
  isCurrent = true;
  /** The way to entries that another node has committed, while it is gone. */
  catchingUp: Promise<boolean> | undefined;
  /** A pass over the log that counts what is unread, while it runs. */
  counting: Promise<void> | undefined;
  /** Where entries are published. */
  readonly audience = new Audience(this);
  /** No member has come in later than with this entry. */
  #sinceMax = 0;

  constructor(
    domain: string,
    id: string,
    about: { kind: ConversationKind; name: string | undefined; open: boolean; createdAt: number; by: string },
    version: number,
    head: number,
  ) {
    this.domain = domain;
    this.id = id;
    this.log = conversationLog(domain, id);
    this.kind = about.kind;
    this.name = about.name;
    this.open = about.open;
    this.createdAt = about.createdAt;
    this.by = about.by;
    this.version = version;
    this.head = head;
  }

  /** Takes the conversation's committed record into memory. */
  describe({ name, open, createdAt, by }: ConversationRecord, version: number): void {
    this.name = name;
    this.open = open;
    this.createdAt = createdAt;
    this.by = by;
    this.version = version;
  }

  /** The user, if it is a member now. */
  member(user: string): Member | undefined {
    const member = this.people.get(user);
    return member?.until === undefined ? member : undefined;
  }

  /** Whoever may read something here, former members too. */
  reader(user: string): Member | undefined {
    return this.people.get(user);
  }

  *members(): Generator<Member> {
    for (const member of this.people.values()) if (member.until === undefined) yield member;
  }

  /** Where the entry `seq` is published: who came in later may not read it. */
  audienceOf(seq: number): Subjects {
    if (seq >= this.#sinceMax) return this.audience;
    return [...this.members()].filter(({ since }) => since <= seq).map(({ subject }) => subject);
  }

  /** Takes committed positions of a user into account, wherever they were committed; lower ones change nothing. */
  raise(member: Member, kind: "delivered" | "read", position: number): void {
    if (position <= member[kind]) return;
    member[kind] = position;
    if (kind !== "read") return;
    // What does not count lies in (read, head]: it is counted anew when somebody asks.
    if (position === this.head) this.leaveOut(member, 0);
    else member.uncounted = undefined;
  }

  /** So many entries in (read, head] do not count as unread for the member, whose `read` is not above the head. */
  leaveOut(member: Member, count: number): void {
    member.uncounted = count - this.systemEntries;
  }

  /** Takes a committed member record into memory. */
  setMember(user: string, record: MemberRecord, version: number): Member {
    const known = this.people.get(user);
    const before = known?.until === undefined ? known?.role : undefined;
    const after = record.until === undefined ? record.role : undefined;
    const member: Member = known ?? {
      user,
      subject: userSubject(this.domain, user),
      role: record.role,
      since: record.since,
      until: record.until,
      version,
      delivered: 0,
      read: 0,
      uncounted: undefined,
      lastSent: 0,
    };
    member.role = record.role;
    // Another stay begins with another count.
    if (member.since !== record.since) member.uncounted = undefined;
    member.since = record.since;
    member.until = record.until;
    member.version = version;
    this.#sinceMax = Math.max(this.#sinceMax, record.since);
    this.people.set(user, member);
    this.memberCount += Number(after !== undefined) - Number(before !== undefined);
    this.ownerCount += Number(after === "owner") - Number(before === "owner");
    const isIn = after !== undefined;
    if (isIn !== (before !== undefined)) this.audience.changed({ subject: member.subject, isIn });
    return member;
  }

  /**
   * Takes a committed entry into account. Entries come in the order of their seq; one that the head covers already
   * was counted when the conversation was loaded.
   */
  append(message: { readonly seq: number; readonly from: string }, isSystem: boolean): void {
    const sender = this.people.get(message.from);
    if (!isSystem && sender !== undefined) sender.lastSent = Math.max(sender.lastSent, message.seq);
    if (message.seq <= this.head) return;
    this.head = message.seq;
    if (isSystem) this.systemEntries++;
    else if (sender?.uncounted !== undefined) sender.uncounted++;
  }
}
