import type { Frame, UnknownFrame } from "@hongyan/protocol";
import type { LedgerEntry } from "../ledger/entry.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { Bench, LinkView, Observations } from "./observations.ts";

/** G2: (conversation, sender, client message id) names one entry; the same id with another body is refused. */
export class IdempotenceChecker implements Observations {
  readonly #bench: Bench;
  readonly #ledger: Ledger;
  /** seq by log, sender and client message id. */
  readonly #seqs = new Map<string, number>();
  readonly #sends = new WeakMap<
    LinkView,
    Map<number, { key: string; conversation: string; body: Uint8Array | undefined }>
  >();

  constructor(bench: Bench, ledger: Ledger) {
    this.#bench = bench;
    this.#ledger = ledger;
  }

  stored(domain: string, conversation: string, entry: LedgerEntry): void {
    if (entry.clientMessageId === "") return;
    const key = keyOf(domain, conversation, entry.from, entry.clientMessageId);
    const known = this.#seqs.get(key);
    if (known === undefined) this.#seqs.set(key, entry.seq);
    else if (known !== entry.seq)
      this.#bench.object("G2", `${key} is stored twice: #${known} and #${entry.seq}`);
  }

  duplicate(domain: string, conversation: string, entry: LedgerEntry): void {
    const key = keyOf(domain, conversation, entry.from, entry.clientMessageId);
    const known = this.#seqs.get(key);
    if (known !== entry.seq)
      this.#bench.object(
        "G2",
        `${key} was answered as a duplicate of #${entry.seq}; it is #${known ?? "nowhere"}`,
      );
  }

  up(link: LinkView, frame: Frame): void {
    if (frame.type !== "send") return;
    const sends = this.#sends.getOrInsertComputed(link, () => new Map());
    const { domain, user } = link.device;
    sends.set(frame.id, {
      key: keyOf(domain, frame.conversation, user, frame.clientMessageId),
      conversation: frame.conversation,
      body: frame.body,
    });
  }

  down(link: LinkView, frame: Frame | UnknownFrame): void {
    if (frame.type !== "send.ok") return;
    const send = this.#sends.get(link)?.get(frame.id);
    if (send === undefined) return;
    const known = this.#seqs.get(send.key);
    if (known !== frame.seq) {
      return this.#bench.object(
        "G2",
        `send.ok says that ${send.key} is #${frame.seq}; the store has it at #${known ?? "nowhere"}`,
      );
    }
    const entry = this.#ledger.entry(link.device.domain, send.conversation, frame.seq);
    const sent = Buffer.from(send.body ?? []).toString();
    if (entry !== undefined && entry.text !== sent) {
      this.#bench.object(
        "G2",
        `${send.key} was sent with another body than the stored one and was answered send.ok instead of conflict`,
      );
    }
  }
}

function keyOf(domain: string, conversation: string, user: string, clientMessageId: string): string {
  return `${Ledger.key(domain, conversation)} ${user} ${clientMessageId}`;
}
