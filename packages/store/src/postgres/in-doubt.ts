import { setTimeout as delay } from "node:timers/promises";
import type { Journal } from "@hongyan/core";
import type { Address } from "./address.ts";
import { errorCode } from "./errors.ts";
import { decide, decisionOf, listPrepared, obey } from "./prepared.ts";
import type { Server } from "./server.ts";
import type { Statement } from "./writer.ts";
import { Writer } from "./writer.ts";

/** Decisions that nobody needs any more: those of nodes that died, of an hour ago. */
const looksPerSweep = 200;
const passesMax = 20;
const passMs = 100;

const sweepDecisions: Statement = {
  name: "sweep_decisions",
  text: `
    DELETE FROM hongyan.decisions
    WHERE at < now() - interval '1 hour' AND NOT gid = ANY (string_to_array($1, ','))`,
};

/**
 * Ends what a node has prepared, and did not come to commit or to roll back: decides against it on home, unless it was
 * decided, and obeys. Any node does that for all.
 */
export class InDoubt {
  readonly #node: string;
  readonly #home: Address;
  readonly #journal: Journal | undefined;
  readonly #patienceMs: number;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #looks = 0;

  /** `patienceMs`: so long nobody but its coordinator looks after a transaction. */
  constructor(node: string, home: Address, patienceMs: number, journal: Journal | undefined) {
    this.#node = node;
    this.#home = home;
    this.#patienceMs = patienceMs;
    this.#journal = journal;
  }

  /** Looks from now on. */
  start(home: Server, others: readonly Server[]): void {
    const look = () => {
      this.#looking = this.#look(home, others).catch((error: unknown) => {
        this.#journal?.warn("store.in_doubt", { error: String(error) });
      });
      this.#looking.then(() => {
        if (this.#timer !== undefined) this.#timer = setTimeout(look, this.#patienceMs / 2).unref();
      });
    };
    this.#timer = setTimeout(look, 0).unref();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#looking;
  }

  /** Ends what this node has prepared on a server, and what others have a while ago. `writer`: of the server. */
  async settle(writer: Writer, place: string): Promise<void> {
    for (let passes = 0; ; passes++) {
      const rows = await writer.run(listPrepared, [this.#node, this.#patienceMs]);
      if (rows.length === 0) return;
      if (passes === passesMax) throw new Error(`${place} has transactions that cannot be ended`);
      if (passes > 0) await delay(passMs);
      await this.#end(
        writer,
        place,
        rows.map(([name]) => String(name)),
      );
    }
  }

  async #look(home: Server, others: readonly Server[]): Promise<void> {
    const prepared: string[] = [];
    for (const { readers, address } of others) {
      const rows = await readers.run(listPrepared, ["", this.#patienceMs]);
      if (rows.length === 0) continue;
      prepared.push(...rows.map(([name]) => String(name)));
      const writer = await Writer.connect(address.config, () => {});
      try {
        await this.#end(
          writer,
          address.place,
          rows.map(([name]) => String(name)),
        );
      } finally {
        await writer.close();
      }
    }
    if (this.#looks++ % looksPerSweep === 0)
      await home.readers.run(sweepDecisions, [prepared.map(decisionOf).join(",")]);
  }

  async #end({ client }: Writer, place: string, names: readonly string[]): Promise<void> {
    const home = await Writer.connect(this.#home.config, () => {});
    try {
      for (const name of names) {
        const isCommitted = await decide(home.client, decisionOf(name));
        if (isCommitted === undefined) continue;
        await obey(client, name, isCommitted).catch(isBusy);
        this.#journal?.info("store.settled", { place, transaction: name, committed: isCommitted });
      }
    } finally {
      await home.close();
    }
  }
}

/** Another node is at it. */
function isBusy(error: unknown): void {
  if (errorCode(error) !== "55000") throw error;
}
