/** A trace made ready to be played: numbers instead of names, bytes instead of text. */
import type { TraceLine } from "../trace.ts";

export interface Group {
  /** Id of the conversation: `g` and the group's number, so that a device reads the number from the bytes. */
  readonly id: string;
  /** Numbers of all users who ever write in it. */
  readonly members: readonly number[];
}

export interface Line {
  readonly seconds: number;
  readonly group: number;
  readonly user: number;
  /** 0 or 1: which of two devices writes it. The messages of one thread come from the same device. */
  readonly side: number;
  readonly body: Buffer;
}

export interface Script {
  readonly lines: readonly Line[];
  readonly groups: readonly Group[];
  readonly users: number;
}

export function userId(user: number): string {
  return `u${user}`;
}

/** At most `usersMax` users, the first ones, and `messagesMax` of what they write. */
export function scriptOf(trace: readonly TraceLine[], usersMax: number, messagesMax: number): Script {
  const users = new Map<number | string, number>();
  const groups = new Map<number | string, number>();
  const threads = new Map<string, number>();
  const members: Set<number>[] = [];
  const lines: Line[] = [];
  for (const { seconds, group, thread, user, text } of trace) {
    if (lines.length === messagesMax) break;
    if (!users.has(user) && users.size === usersMax) continue;
    const userNumber = numberOf(users, user);
    const groupNumber = numberOf(groups, group);
    const known = members[groupNumber] ?? new Set();
    members[groupNumber] = known;
    known.add(userNumber);
    const side = numberOf(threads, `${groupNumber} ${thread}`) % 2;
    lines.push({ seconds, group: groupNumber, user: userNumber, side, body: Buffer.from(text) });
  }
  return {
    lines,
    groups: members.map((of, group) => ({ id: `g${group}`, members: [...of] })),
    users: users.size,
  };
}

function numberOf<K>(numbers: Map<K, number>, key: K): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, numbers.size);
  return numbers.size - 1;
}
