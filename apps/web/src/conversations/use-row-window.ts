import { type RefObject, useLayoutEffect, useState } from "react";

/** Height of a line in `conversations.css`: all lines are equal, so the rows on screen follow from the scroll position. */
const linePx = 72;
const linesAround = 12;
/** Shorter lists are shown whole. */
const wholeUpTo = 120;

export interface RowWindow {
  readonly from: number;
  readonly to: number;
  readonly beforePx: number;
  readonly afterPx: number;
  onScroll(): void;
}

/** The part of a long list of equal lines that is worth having in the document. */
export function useRowWindow(list: RefObject<HTMLElement | null>, count: number): RowWindow {
  const [first, setFirst] = useState(0);
  const [shown, setShown] = useState(40);
  const measure = () => {
    const element = list.current;
    if (element === null) return;
    setFirst(Math.floor(element.scrollTop / linePx));
    setShown(Math.ceil(element.clientHeight / linePx));
  };
  useLayoutEffect(measure, [count]);
  if (count <= wholeUpTo) return { from: 0, to: count, beforePx: 0, afterPx: 0, onScroll: () => undefined };
  const from = Math.max(0, Math.min(first, count) - linesAround);
  const to = Math.min(count, first + shown + linesAround);
  return { from, to, beforePx: from * linePx, afterPx: (count - to) * linePx, onScroll: measure };
}
