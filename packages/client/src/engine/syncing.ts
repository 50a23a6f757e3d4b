import type { FrameNamed, Positions } from "@hongyan/protocol";
import type { ClientSettings, Message } from "../api.ts";
import type { Clock } from "../ports.ts";
import type { Connection } from "./connection.ts";
import type { Inbox } from "./inbox.ts";
import type { Ledger } from "./ledger.ts";
import type { Reporter } from "./reporter.ts";
import { list, type SyncSurroundings, sync } from "./sync.ts";

/** Between two attempts to sync where something missing has to come first. */
const stuckDelayMs = 500;

/** What it joins. */
export interface SyncingSurroundings {
  readonly clock: Clock;
  readonly settings: ClientSettings;
  readonly connection: Connection;
  readonly inbox: Inbox;
  readonly ledger: Ledger;
  readonly acks: Reporter;
  described(item: FrameNamed<"conversation">): void;
  listed(conversations: ReadonlySet<string>, receipts: number): void;
  /** Entries of a page, before they go to the inbox. */
  received(messages: readonly Message[]): void;
}

/** Decides when what was missed is read, and says when nothing is missing. */
export class Syncing {
  readonly #around: SyncingSurroundings;
  /** The list was read to its end, and nothing was left out since. */
  #isListed = false;
  /** So were the pages. A session that is resumed before that has not seen the last of them. */
  #isComplete = false;
  #isRunning = false;
  #isListing = false;
  /** Asked for again while it was running. */
  #isDue = false;

  constructor(around: SyncingSurroundings) {
    this.#around = around;
    around.inbox.syncing = true;
  }

  /** A resumed session that is not behind has missed nothing, if it was complete before. */
  connected(isResumed: boolean, isBehind: boolean): void {
    if (!isResumed || isBehind) this.#isListed = false;
    if (!isResumed || isBehind || !this.#isComplete) return this.#start();
    this.#finish();
  }

  disconnected(): void {
    this.#around.inbox.disconnected();
    this.#around.inbox.syncing = true;
    this.#isRunning = false;
    this.#isListing = false;
    this.#isDue = false;
  }

  /** The server has left pushes out. Descriptions of conversations may be among them. */
  behind(): void {
    this.#isListed = false;
    if (this.#isRunning) {
      this.#isDue = true;
      return;
    }
    this.#around.connection.behind();
    this.#start();
  }

  /** Positions of others were missed: the list has them. */
  listAgain(): void {
    if (this.#isListing || this.#isRunning) return;
    this.#isListing = true;
    const around = this.#surroundings();
    void list(around).then((isDone) => {
      if (!around.isCurrent()) return;
      this.#isListing = false;
      if (!isDone) this.#around.connection.lose("the list could not be read");
    });
  }

  #start(): void {
    this.#isRunning = true;
    this.#isComplete = false;
    this.#around.inbox.syncing = true;
    this.#around.acks.isCarried = true;
    void this.#run(this.#surroundings());
  }

  async #run(around: SyncSurroundings): Promise<void> {
    for (;;) {
      this.#isDue = false;
      if (!this.#isListed) {
        if (!(await list(around))) return this.#giveUp(around);
        this.#isListed = !this.#isDue;
      }
      const outcome = await sync(around);
      if (outcome === "lost") return this.#giveUp(around);
      if (outcome === "done" && !this.#isDue) break;
      if (outcome === "stuck") {
        // Holes are asked for meanwhile; they are what it waits for.
        this.#around.inbox.syncing = false;
        await around.pause(stuckDelayMs);
        if (!around.isCurrent()) return;
        this.#around.inbox.syncing = true;
      }
    }
    if (!around.isCurrent()) return;
    this.#isRunning = false;
    this.#isComplete = true;
    this.#finish();
  }

  #giveUp(around: SyncSurroundings): void {
    if (!around.isCurrent()) return;
    this.#around.connection.lose("what was missed could not be read");
  }

  #finish(): void {
    const { acks, inbox, connection } = this.#around;
    acks.isCarried = false;
    inbox.syncing = false;
    acks.connected();
    connection.synced();
  }

  #surroundings(): SyncSurroundings {
    const { connection, inbox, ledger, acks, settings, clock } = this.#around;
    const { generation } = connection;
    return {
      requests: connection.requests,
      pageMessages: settings.pageMessages,
      isCurrent: () => connection.generation === generation && connection.isConnected,
      described: (item) => this.#around.described(item),
      listed: (conversations, receipts) => this.#around.listed(conversations, receipts),
      received: (messages) => this.#received(messages),
      settled: async () => {
        await inbox.idle();
        await ledger.settled();
      },
      progress: () => inbox.taken,
      takeAcks: (): Positions => acks.take(),
      settleAcks: (positions, isDone) => acks.settle(positions, isDone),
      pause: (ms) => new Promise((resolve) => clock.setTimer(ms, resolve)),
    };
  }

  #received(messages: readonly Message[]): void {
    const { inbox } = this.#around;
    this.#around.received(messages);
    const firsts = new Map<string, number>();
    for (const { conversation, seq } of messages)
      firsts.set(conversation, Math.min(seq, firsts.get(conversation) ?? seq));
    // The list did not have it, so the user has left it; what is left to read begins here.
    for (const [conversation, first] of firsts)
      if (inbox.position(conversation) === undefined) inbox.beginAt(conversation, first);
    for (const message of messages) inbox.accept(message);
  }
}
