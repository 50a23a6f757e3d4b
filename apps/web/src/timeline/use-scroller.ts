import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { OnScreen } from "./read-position.ts";
import {
  anchorOf,
  distanceToEnd,
  entriesOnScreen,
  holdAnchor,
  rowOf,
  type ScrollAnchor,
} from "./scroll-anchor.ts";
import type { TimelineItem } from "./timeline-items.ts";

/** So close to an end of what is loaded, the next page is asked for. */
const loadMarginPx = 900;

export interface ScrollerInput {
  readonly items: readonly TimelineItem[];
  readonly atStart: boolean;
  readonly atEnd: boolean;
  /** False while the place to open at is looked for: the list is placed anew when it is true (again). */
  readonly ready: boolean;
  readonly visible: boolean;
  readonly unread: number;
  loadOlder(): Promise<void>;
  loadNewer(): Promise<void>;
  toLatest(): Promise<void>;
  /** These are on screen in a visible tab. */
  seen(screen: OnScreen): void;
  /** Whether the newest message is on screen. */
  watch(atEnd: boolean): void;
}

export interface Scroller {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly rows: RefObject<HTMLOListElement | null>;
  /** The newest message is out of sight. */
  readonly away: boolean;
  onScroll(): void;
  toEnd(): void;
}

/** Joins a list of items to its scroll position: see `scroll-anchor.ts`. One conversation per life of the component. */
export function useScroller(input: ScrollerInput): Scroller {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useRef<HTMLOListElement>(null);
  const anchor = useRef<ScrollAnchor>({ kind: "end" });
  const placed = useRef(false);
  const lastKey = useRef<string | undefined>(undefined);
  const loading = useRef(false);
  const latest = useRef(input);
  latest.current = input;
  const [away, setAway] = useState(false);

  /** Everything that follows from where the list stands now. */
  const settle = useCallback(() => {
    const [list, entries] = [scroller.current, rows.current];
    if (list === null || entries === null || !placed.current) return;
    const { atStart, atEnd, visible, loadOlder, loadNewer, seen, watch } = latest.current;
    const atBottom = anchor.current.kind === "end" && atEnd;
    setAway(!atBottom);
    watch(atBottom);
    if (visible) {
      const screen = entriesOnScreen(list, entries);
      if (screen !== undefined) seen(screen);
    }
    if (loading.current) return;
    const load =
      !atStart && list.scrollTop < loadMarginPx
        ? loadOlder
        : !atEnd && distanceToEnd(list) < loadMarginPx
          ? loadNewer
          : undefined;
    if (load === undefined) return;
    loading.current = true;
    const { items } = latest.current;
    void load().then(
      () => {
        loading.current = false;
        // The page was short: perhaps another one is needed at once. A page that brought nothing ends the round.
        if (latest.current.items !== items) settle();
      },
      () => {
        // A page that cannot be had now (offline) is asked for again when the reader scrolls.
        loading.current = false;
      },
    );
  }, []);

  const onScroll = useCallback(() => {
    const [list, entries] = [scroller.current, rows.current];
    if (list === null || entries === null || !placed.current) return;
    anchor.current = anchorOf(list, entries, latest.current.atEnd);
    settle();
  }, [settle]);

  const hold = useCallback(() => {
    const [list, entries] = [scroller.current, rows.current];
    if (list === null || entries === null || !placed.current) return;
    anchor.current =
      holdAnchor(list, entries, anchor.current) ?? anchorOf(list, entries, latest.current.atEnd);
  }, []);

  const { items, atEnd, ready } = input;
  useLayoutEffect(() => {
    const [list, entries] = [scroller.current, rows.current];
    const last = items[items.length - 1];
    if (list === null || entries === null || last === undefined) return;
    if (!ready) {
      placed.current = false;
      return;
    }
    if (!placed.current) {
      placed.current = true;
      placeFirst(list, entries);
      anchor.current = anchorOf(list, entries, atEnd);
    } else {
      const sentHere =
        last.key !== lastKey.current &&
        last.kind === "message" &&
        last.message.own &&
        last.message.status === "queued";
      if (sentHere && atEnd) anchor.current = { kind: "end" };
      hold();
    }
    lastKey.current = last.key;
    settle();
  }, [items, atEnd, ready, input.atStart]);

  // Rows change their height (a text is unfolded, fonts load) and so does the screen (keyboard, composer, window).
  useEffect(() => {
    const [list, entries] = [scroller.current, rows.current];
    if (list === null || entries === null) return;
    const observer = new ResizeObserver(() => {
      hold();
      settle();
    });
    observer.observe(list);
    observer.observe(entries);
    return () => observer.disconnect();
  }, [hold, settle]);

  // A tab that comes to the front has its messages seen; so have messages of which the count came after them.
  useEffect(settle, [input.visible, input.unread, settle]);

  const toEnd = useCallback(() => {
    void latest.current
      .toLatest()
      .catch(() => undefined)
      .then(() => {
        const list = scroller.current;
        if (list === null) return;
        anchor.current = { kind: "end" };
        const near =
          distanceToEnd(list) < list.clientHeight * 2 &&
          !matchMedia("(prefers-reduced-motion: reduce)").matches;
        list.scrollTo({ top: list.scrollHeight, behavior: near ? "smooth" : "instant" });
        settle();
      });
  }, [settle]);

  return { scroller, rows, away, onScroll, toEnd };
}

/** Opens at the first unread message, a quarter down the screen, or at the end. */
function placeFirst(list: HTMLElement, rows: HTMLElement): void {
  list.scrollTop = list.scrollHeight;
  const unread = rowOf(rows, "unread");
  if (unread === undefined) return;
  const offsetPx = unread.getBoundingClientRect().top - list.getBoundingClientRect().top;
  if (offsetPx < list.clientHeight / 4) list.scrollTop += offsetPx - list.clientHeight / 4;
}
