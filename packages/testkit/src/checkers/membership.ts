import { isSystemEntry, type LedgerEntry } from "../ledger/entry.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Bench, Observations } from "./observations.ts";

/** Who is no member writes nothing, whichever server is asked; a stay begins and ends with the entry that says so. */
export class MembershipChecker implements Observations {
  readonly #bench: Bench;
  readonly #ledger: Ledger;

  constructor(bench: Bench, ledger: Ledger) {
    this.#bench = bench;
    this.#ledger = ledger;
  }

  stored(domain: string, conversation: string, entry: LedgerEntry): void {
    // A direct conversation has its two members for ever, and a backend need not be one.
    if (conversation.includes(":") || entry.marker?.device === "backend") return;
    this.#bench.doubt(() => {
      if (isSystemEntry(entry)) this.#bounds(domain, conversation, entry);
      else this.#sender(domain, conversation, entry);
    });
  }

  #sender(domain: string, conversation: string, { seq, from }: LedgerEntry): void {
    const stays = this.#ledger.stays(domain, conversation, from);
    if (stays.some(({ since, until }) => seq >= since && seq <= until)) return;
    this.#bench.object("membership", `${from} was no member and wrote ${domain}/${conversation}#${seq}`);
  }

  #bounds(domain: string, conversation: string, { seq, messageType, text }: LedgerEntry): void {
    const event = messageType.slice("hongyan.".length);
    const isEntry = event === "added" || event === "joined";
    if (!isEntry && event !== "removed" && event !== "left") return;
    const { users } = JSON.parse(text) as { users: readonly string[] };
    for (const user of users) {
      const stays = this.#ledger.stays(domain, conversation, user);
      if (stays.some(({ since, until }) => seq === (isEntry ? since : until))) continue;
      this.#bench.object(
        "membership",
        `${user} was ${event} with ${domain}/${conversation}#${seq}; its stays are ${JSON.stringify(stays)}`,
      );
    }
  }
}
