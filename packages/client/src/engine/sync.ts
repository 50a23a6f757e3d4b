import { errors, type FrameNamed, limits, type Positions, ProtocolError, type Push } from "@hongyan/protocol";
import type { Message } from "../api.ts";
import { messagesOf } from "./message-of.ts";
import { NoAnswer, type Requests } from "./requests.ts";

/** Pages that were lost, refused or incomplete in a row before the connection is given up. */
const failuresMax = 5;
const retryDelayMs = 500;
const listPageMax = 200;

/** What sync needs from the engine. All of it belongs to one connection. */
export interface SyncSurroundings {
  readonly requests: Requests;
  readonly pageMessages: number;
  /** False once the connection that this sync belongs to is gone. */
  isCurrent(): boolean;
  /** One conversation of the list. */
  described(item: FrameNamed<"conversation">): void;
  /** The list is complete. `receipts`: how many the server had pushed when it began. */
  listed(conversations: ReadonlySet<string>, receipts: number): void;
  /** Entries of one page, in the order of the server. */
  received(messages: readonly Message[]): void;
  /** Resolves when everything received so far is handed over and on disk. */
  settled(): Promise<void>;
  /** Grows with every entry that is handed over. */
  progress(): number;
  pause(ms: number): Promise<void>;
  /** Positions that the next page acknowledges, and what became of them. */
  takeAcks(): Positions;
  settleAcks(positions: Positions, isDone: boolean): void;
}

/** Pages of the list until its end. Resolves false where the connection did not carry it. */
export async function list(around: SyncSurroundings): Promise<boolean> {
  const listed = new Set<string>();
  let receipts: number | undefined;
  let after: string | undefined;
  for (;;) {
    const page = await attempt(around, () =>
      around.requests.request<"list">({ type: "list", after, limit: listPageMax }),
    );
    if (page === undefined) return false;
    receipts ??= page.reply.receipts;
    for (const item of page.items) {
      if (item.type !== "conversation") continue;
      listed.add(item.conversation);
      around.described(item);
    }
    if (page.reply.next === undefined) break;
    after = page.reply.next;
  }
  around.listed(listed, receipts);
  return true;
}

/** `stuck`: what comes cannot be handed over yet, because something before it is missing. */
export type SyncOutcome = "done" | "lost" | "stuck";

/**
 * Pages of what was missed, over all conversations, until there is no more. The request for the next page
 * acknowledges the last one, so a page is asked for only when the one before is on disk.
 */
export async function sync(around: SyncSurroundings): Promise<SyncOutcome> {
  for (;;) {
    const progress = around.progress();
    const positions = around.takeAcks();
    const page = await attempt(around, () =>
      around.requests.request<"sync">({
        type: "sync",
        positions: positions.length === 0 ? undefined : positions,
        limit: Math.min(around.pageMessages, limits.pageMessagesMax),
      }),
    );
    around.settleAcks(positions, page !== undefined);
    if (page === undefined) return "lost";
    around.received(messagesOf(page.items));
    await around.settled();
    if (!around.isCurrent()) return "lost";
    if (!page.reply.more) return "done";
    if (around.progress() === progress && positions.length === 0) return "stuck";
  }
}

interface Page<R extends { count: number }> {
  readonly reply: R;
  readonly items: readonly Push[];
}

/** Asks again where the answer is late or incomplete; undefined where the connection should be given up. */
async function attempt<R extends { count: number }>(
  around: SyncSurroundings,
  ask: () => Promise<Page<R>>,
): Promise<Page<R> | undefined> {
  for (let failures = 0; failures < failuresMax; failures++) {
    try {
      const page = await ask();
      if (!around.isCurrent()) return undefined;
      const items = distinct(page.items);
      if (items.length === page.reply.count) return { reply: page.reply, items };
    } catch (error) {
      if (!around.isCurrent() || (error instanceof NoAnswer && error.why === "lost")) return undefined;
      if (!(error instanceof ProtocolError)) continue;
      if (errors[error.code].retry !== "later") return undefined;
      await around.pause(error.retryAfterMs ?? retryDelayMs * 2 ** failures);
      if (!around.isCurrent()) return undefined;
    }
  }
  return undefined;
}

/** Each item once: a network that repeats frames must not make up for one that loses them. */
function distinct(items: readonly Push[]): Push[] {
  const byName = new Map<string, Push>();
  for (const item of items) {
    if (item.type === "message") byName.set(`${item.seq}/${item.conversation}`, item);
    else if (item.type === "conversation") byName.set(item.conversation, item);
  }
  return [...byName.values()];
}
