import type { OnScreen } from "./read-position.ts";

/**
 * Keeps the eye in place. A list that grows at its top, loses rows at its bottom, or changes heights moves under
 * the reader unless the scroll position follows one row: the anchor. Browsers anchor by themselves only in some of
 * these cases and not everywhere, so the page does it (and turns `overflow-anchor` off).
 */
export type ScrollAnchor =
  /** Stays at the newest message, whatever comes. */
  | { readonly kind: "end" }
  /**
   * Follows the row with this key. Its place is kept in the coordinates of the content, not of the screen: what
   * the user has scrolled since then is not taken back.
   */
  | { readonly kind: "row"; readonly key: string; readonly contentTopPx: number };

/** Closer to the end than this counts as being at the end. */
const endSlackPx = 48;
/** This part of a row, or of the screen, must be visible for the row to count as seen. */
const seenShare = 0.6;

export function distanceToEnd(scroller: HTMLElement): number {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
}

/** @param atEnd whether the list holds the newest message: otherwise its end is not the end */
export function anchorOf(scroller: HTMLElement, rows: HTMLElement, atEnd: boolean): ScrollAnchor {
  if (atEnd && distanceToEnd(scroller) <= endSlackPx) return { kind: "end" };
  const top = scroller.getBoundingClientRect().top;
  const row = entryFrom(
    rows,
    firstIndex(rows, (box) => box.bottom > top),
  );
  const key = row?.dataset.key;
  if (row === undefined || key === undefined) return { kind: "end" };
  return { kind: "row", key, contentTopPx: contentTopPx(scroller, row) };
}

/** Restores the anchor after the rows have changed; the anchor for the next change, undefined when its row is gone. */
export function holdAnchor(
  scroller: HTMLElement,
  rows: HTMLElement,
  anchor: ScrollAnchor,
): ScrollAnchor | undefined {
  if (anchor.kind === "end") {
    scroller.scrollTop = scroller.scrollHeight;
    return anchor;
  }
  const row = rowOf(rows, anchor.key);
  if (row === undefined) return undefined;
  const top = contentTopPx(scroller, row);
  const movedPx = top - anchor.contentTopPx;
  if (Math.abs(movedPx) >= 0.5) scroller.scrollTop += movedPx;
  return { ...anchor, contentTopPx: top };
}

export function rowOf(rows: HTMLElement, key: string): HTMLElement | undefined {
  for (const row of rows.children) if (row instanceof HTMLElement && row.dataset.key === key) return row;
  return undefined;
}

/** The entries of the log on screen: the first of which anything, the last of which a good part is; undefined: none. */
export function entriesOnScreen(scroller: HTMLElement, rows: HTMLElement): OnScreen | undefined {
  const { top, bottom } = scroller.getBoundingClientRect();
  let last = 0;
  let first = 0;
  for (let index = firstIndex(rows, (box) => box.top >= bottom) - 1; index >= 0; index--) {
    const row = rows.children[index];
    if (!(row instanceof HTMLElement)) continue;
    const box = row.getBoundingClientRect();
    if (box.bottom <= top) break;
    const seq = Number(row.dataset.seq ?? 0);
    if (seq === 0) continue;
    const visiblePx = Math.min(box.bottom, bottom) - Math.max(box.top, top);
    if (last === 0 && visiblePx >= Math.min(box.height, bottom - top) * seenShare) last = seq;
    first = seq;
  }
  return last === 0 ? undefined : { first, last };
}

function contentTopPx(scroller: HTMLElement, row: HTMLElement): number {
  return row.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
}

/** Separators come and go with what stands around them: an anchor is always an entry of the log. */
function entryFrom(rows: HTMLElement, index: number): HTMLElement | undefined {
  for (let i = index; i < rows.children.length; i++) {
    const row = rows.children[i];
    if (row instanceof HTMLElement && row.dataset.entry !== undefined) return row;
  }
  return undefined;
}

/** The first row for which `reached` is true; rows are ordered from top to bottom, so halving finds it. */
function firstIndex(rows: HTMLElement, reached: (box: DOMRect) => boolean): number {
  let low = 0;
  let high = rows.children.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows.children[middle];
    if (row !== undefined && !reached(row.getBoundingClientRect())) low = middle + 1;
    else high = middle;
  }
  return low;
}
