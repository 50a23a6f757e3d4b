import type { Message } from "../api.ts";

/** How far one conversation has come on this device, and what waits. */
export class Reading {
  readonly conversation: string;
  /** The next seq to hand to the application; undefined until it is known where this device begins. */
  next: number | undefined;
  /** Everything up to here is in the storage. */
  committed = 0;
  /** The highest seq that was heard of, also of entries that were dropped for lack of room. */
  head = 0;
  /** Entries behind a hole, or behind a handler that still works. */
  readonly held = new Map<number, Message>();
  heldBytes = 0;
  /** Handlers are at work: one entry after another. */
  isDelivering = false;
  /** A question about the hole is on its way, or waits to be asked. */
  isFilling = false;
  /** Times in a row that a handler refused the same entry, or a hole could not be filled. */
  failures = 0;

  constructor(conversation: string, position: number | undefined) {
    this.conversation = conversation;
    if (position !== undefined) this.begin(position);
  }

  begin(position: number): void {
    this.next = position + 1;
    this.committed = position;
    this.head = Math.max(this.head, position);
  }

  /** Everything before `first` is beyond reach (trimmed, or from before the user joined). */
  skipTo(first: number): void {
    if (this.next !== undefined && first > this.next) this.next = first;
    this.forgetBelow();
  }

  hold(message: Message): void {
    if (this.held.has(message.seq)) return;
    this.held.set(message.seq, message);
    this.heldBytes += weight(message);
  }

  take(seq: number): Message | undefined {
    const message = this.held.get(seq);
    if (message !== undefined) {
      this.held.delete(seq);
      this.heldBytes -= weight(message);
    }
    return message;
  }

  /** The next entry is not here, but later ones exist. */
  get hasHole(): boolean {
    return (
      this.next !== undefined && this.head >= this.next && !this.held.has(this.next) && !this.isDelivering
    );
  }

  /** Nothing that waits here will be handed over. */
  letGo(): void {
    this.held.clear();
    this.heldBytes = 0;
    this.head = this.next === undefined ? 0 : this.next - 1;
  }

  forgetBelow(): void {
    if (this.next === undefined) return;
    for (const seq of this.held.keys()) if (seq < this.next) this.take(seq);
  }
}

/** Bytes that a message costs while it is kept: its body, and what is around it. */
export function weight(message: Message): number {
  return message.body.length + 200;
}
