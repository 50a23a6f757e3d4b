import type { ShownMessage } from "@hongyan/client";
import { dayNumber } from "../text/time.ts";

/** What a chat view shows, top to bottom. Every item has a stable key: it is the anchor of the scroll position. */
export type TimelineItem =
  | { readonly kind: "day"; readonly key: string; readonly at: number }
  | { readonly kind: "unread"; readonly key: string }
  | { readonly kind: "system"; readonly key: string; readonly message: ShownMessage }
  | {
      readonly kind: "message";
      readonly key: string;
      readonly message: ShownMessage;
      /** First and last of a run: consecutive messages of one sender within a few minutes. */
      readonly first: boolean;
      readonly last: boolean;
    };

type MessageItem = Extract<TimelineItem, { kind: "message" }>;

/** A pause longer than this starts a new run of the same sender. */
const runPauseMsMax = 5 * 60_000;

/**
 * @param unreadAfter the read position at which "new messages" stands; undefined: nowhere
 * @param before the items of the last call: those that have not changed keep their identity, so that only rows that did are shown anew
 */
export function timelineItems(
  messages: readonly ShownMessage[],
  unreadAfter: number | undefined,
  before: readonly TimelineItem[] = [],
): readonly TimelineItem[] {
  const items: TimelineItem[] = [];
  const daysShown = new Map<number, number>();
  let day: number | undefined;
  let unreadShown = unreadAfter === undefined;
  for (const message of messages) {
    const number = dayNumber(message.time);
    if (number !== day) {
      day = number;
      // A server's clock may have gone back over midnight: the same day twice needs two keys.
      const times = daysShown.get(number) ?? 0;
      daysShown.set(number, times + 1);
      items.push({ kind: "day", key: `day ${number} ${times}`, at: startOfDay(message.time) });
    }
    if (!unreadShown && isUnread(message, unreadAfter)) {
      unreadShown = true;
      items.push({ kind: "unread", key: "unread" });
    }
    if (message.system) {
      items.push({ kind: "system", key: message.key, message });
      continue;
    }
    const previous = items[items.length - 1];
    const first = previous?.kind !== "message" || !sameRun(previous.message, message);
    if (!first) items[items.length - 1] = { ...previous, last: false };
    items.push({ kind: "message", key: message.key, message, first, last: true });
  }
  return withIdentities(items, before);
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

function isUnread(message: ShownMessage, unreadAfter: number | undefined): boolean {
  return unreadAfter !== undefined && message.seq > unreadAfter && !message.own && !message.system;
}

function sameRun(one: ShownMessage, next: ShownMessage): boolean {
  return one.from === next.from && next.time - one.time <= runPauseMsMax;
}

function withIdentities(items: TimelineItem[], before: readonly TimelineItem[]): readonly TimelineItem[] {
  const known = new Map(before.map((item) => [item.key, item]));
  return items.map((item) => {
    const old = known.get(item.key);
    return old !== undefined && equal(old, item) ? old : item;
  });
}

function equal(one: TimelineItem, other: TimelineItem): boolean {
  if (one.kind === "message" && other.kind === "message") return equalMessages(one, other);
  if (one.kind === "system" && other.kind === "system") return one.message === other.message;
  if (one.kind === "day" && other.kind === "day") return one.at === other.at;
  return one.kind === "unread" && other.kind === "unread";
}

function equalMessages(one: MessageItem, other: MessageItem): boolean {
  return one.message === other.message && one.first === other.first && one.last === other.last;
}
