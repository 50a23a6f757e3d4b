import { ProtocolError } from "@hongyan/protocol";
import type { Actions } from "../actions.ts";
import type { LocalMessage } from "../api.ts";
import type { Answer, Request } from "../engine/requests.ts";
import type { Clock, Storage, StorageChange } from "../ports.ts";
import type { Outcome, TabMessage } from "./tab-message.ts";

const storageRetryMs = 1_000;

interface PendingCall {
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  readonly cancel: () => void;
}

interface PendingRead {
  readonly seq: number;
  readonly unread: number | undefined;
}

/**
 * A tab that does not lead. Messages go straight into the outbox of the shared storage, so that they are safe
 * whatever happens to the tab that leads; everything else is asked of it, and asked again of its successor.
 */
export class Follower implements Actions {
  readonly #tab: string;
  readonly #clock: Clock;
  readonly #storage: Storage;
  readonly #callTimeoutMs: number;
  readonly #post: (message: TabMessage) => void;
  /** The outbox in the storage has grown: whoever leads must know. */
  readonly #written: () => void;
  readonly #failed: (error: unknown) => void;
  readonly #calls = new Map<number, PendingCall>();
  readonly #reads = new Map<string, PendingRead>();
  #lastCall = 0;

  constructor(around: {
    tab: string;
    clock: Clock;
    storage: Storage;
    callTimeoutMs: number;
    post: (message: TabMessage) => void;
    written: () => void;
    failed: (error: unknown) => void;
  }) {
    this.#tab = around.tab;
    this.#clock = around.clock;
    this.#storage = around.storage;
    this.#callTimeoutMs = around.callTimeoutMs;
    this.#post = around.post;
    this.#written = around.written;
    this.#failed = around.failed;
  }

  submit(message: LocalMessage): void {
    this.#post({ kind: "update", update: { kind: "change", change: { outbox: [message] } } });
    this.#write({ outbox: [message] });
  }

  discard(message: LocalMessage): void {
    const change: StorageChange = { discarded: [message] };
    this.#post({ kind: "update", update: { kind: "change", change } });
    this.#write(change);
  }

  markRead(conversation: string, seq: number, unread: number | undefined): void {
    const before = this.#reads.get(conversation);
    if (before !== undefined && before.seq >= seq) return;
    this.#reads.set(conversation, { seq, unread });
    this.#post({ kind: "read", conversation, seq, unread });
  }

  restart(): void {
    this.#post({ kind: "restart" });
  }

  call(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = ++this.#lastCall;
      const cancel = this.#clock.setTimer(this.#callTimeoutMs, () => {
        this.#calls.delete(call);
        reject(new ProtocolError("unavailable", "there was no connection, or no answer in time"));
      });
      this.#calls.set(call, { request, resolve, reject, cancel });
      this.#post({ kind: "call", tab: this.#tab, call, request });
    });
  }

  answered(call: number, outcome: Outcome): void {
    const pending = this.#calls.get(call);
    if (pending === undefined) return;
    this.#calls.delete(call);
    pending.cancel();
    if (outcome.ok) pending.resolve(outcome.answer);
    else pending.reject(new ProtocolError(outcome.code, outcome.message, outcome.retryAfterMs));
  }

  /** The read positions in `change` are taken care of. */
  told(change: StorageChange): void {
    for (const { conversation, read } of change.conversations ?? []) {
      const pending = this.#reads.get(conversation);
      if (pending !== undefined && pending.seq <= read) this.#reads.delete(conversation);
    }
  }

  /** Another tab leads now: what its predecessor has not answered is asked again. */
  newLeader(): void {
    for (const [conversation, { seq, unread }] of this.#reads)
      this.#post({ kind: "read", conversation, seq, unread });
    for (const [call, { request }] of this.#calls)
      this.#post({ kind: "call", tab: this.#tab, call, request });
  }

  /** This tab leads now: `actions` does what was asked of others. */
  handOver(actions: Actions): void {
    for (const [conversation, { seq, unread }] of this.#reads) actions.markRead(conversation, seq, unread);
    this.#reads.clear();
    for (const { request, resolve, reject, cancel } of this.#calls.values()) {
      cancel();
      actions.call(request).then(resolve, reject);
    }
    this.#calls.clear();
  }

  #write(change: StorageChange): void {
    this.#storage.commit(change).then(
      () => this.#written(),
      (error: unknown) => {
        this.#failed(error);
        this.#clock.setTimer(storageRetryMs, () => this.#write(change));
      },
    );
  }
}
