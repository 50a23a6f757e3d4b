import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Journal } from "@hongyan/core";
import { BrokerError } from "./broker-error.ts";
import type { Link } from "./link.ts";
import { type NameWord, readNameWord, writeNameWord } from "./name-word.ts";
import type { NatsStatistics } from "./statistics.ts";

/** Who has the name and does not say so in this time is taken for dead. */
const answerMsMax = 1_000;
const sayEveryMs = 30_000;
/** Another node that was not heard for so many rounds does not count any more. */
const roundsMax = 3;
const namesakesMax = 64;

export interface NodeNameOptions {
  readonly link: Link;
  readonly name: string;
  /** Of this name alone. */
  readonly subject: string;
  readonly journal: Journal;
  readonly statistics: NatsStatistics;
}

type State =
  | { readonly phase: "idle" | "running" | "closed" }
  | { readonly phase: "asking"; readonly taken: (by: NameWord) => void };

/**
 * The name of this node, which no other one of its cluster is to have. Who begins says its name, and gives up where
 * one that goes before it answers: one that runs, or, of two that begin at once, the one with the greater id. NATS
 * itself says where nobody listens, so that a start waits for an answer only where there may be one; and a node that
 * was killed gives none, so that its successor is let in.
 *
 * What a start may miss (a node that stood still, a NATS that was in two parts) shows later, as every node says its
 * name once in 30 s: both tell the journal, and count it.
 */
export class NodeName {
  readonly #options: NodeNameOptions;
  readonly #id = randomBytes(16).toString("base64url");
  /** Other nodes of this name, by id, and the round in which each was heard last. */
  readonly #namesakes = new Map<string, number>();
  #round = 0;
  #rounds: NodeJS.Timeout | undefined;
  #state: State = { phase: "idle" };

  constructor(options: NodeNameOptions) {
    this.#options = options;
  }

  /** Rejects with `BrokerError` `taken` where another node answers to the name. */
  async take(): Promise<void> {
    const { link, subject, name } = this.#options;
    link.subscribe(subject, (message) => this.#hear(message));
    const owner = await this.#ask(link, subject);
    if (owner !== undefined)
      throw new BrokerError(
        "taken",
        `another node named ${JSON.stringify(name)} runs on host ${JSON.stringify(owner.host)}: give each node a name of its own, with --node`,
      );
    this.#rounds = setInterval(() => this.#nextRound(), sayEveryMs).unref();
  }

  /** Others may have begun meanwhile: NATS was away. */
  returned(): void {
    if (this.#state.phase === "running") this.#say();
  }

  close(): void {
    clearInterval(this.#rounds);
    this.#state = { phase: "closed" };
  }

  /** Who has the name; undefined where nobody says so in time. */
  async #ask(link: Link, subject: string): Promise<NameWord | undefined> {
    const { promise, resolve } = Promise.withResolvers<NameWord | undefined>();
    // Decided here and not when the promise is heard of: the next word may come in the same piece of bytes.
    const taken = (by: NameWord): void => {
      this.#state = { phase: "closed" };
      resolve(by);
    };
    const free = (): void => {
      if (this.#state.phase !== "asking") return;
      this.#state = { phase: "running" };
      resolve(undefined);
    };
    this.#state = { phase: "asking", taken };
    // NATS answers there, with nothing in it, where nobody listens to the name.
    const nobody = `${subject}.${this.#id}`;
    const notice = link.subscribe(nobody, free);
    const patience = setTimeout(free, answerMsMax);
    this.#say(nobody);
    try {
      return await promise;
    } finally {
      clearTimeout(patience);
      notice?.unsubscribe();
    }
  }

  #say(reply?: string): void {
    const { link, subject } = this.#options;
    const isRunning = this.#state.phase === "running";
    link.send(subject, writeNameWord({ id: this.#id, host: hostname(), isRunning }), 0, reply);
    link.confirm();
  }

  #hear(message: Uint8Array): void {
    const word = readNameWord(message);
    if (word === undefined) this.#options.statistics.malformed++;
    else if (word.id === this.#id) return;
    else if (this.#state.phase === "asking") this.#hearAsking(word, this.#state.taken);
    else if (this.#state.phase === "running") this.#hearRunning(word);
  }

  #hearAsking(word: NameWord, taken: (by: NameWord) => void): void {
    if (word.isRunning || word.id > this.#id) taken(word);
    else this.#say();
  }

  #hearRunning({ id, host, isRunning }: NameWord): void {
    // It gives up when it hears this.
    if (!isRunning) return this.#say();
    const { name, journal, statistics } = this.#options;
    const isNew = !this.#namesakes.has(id);
    if (isNew && this.#namesakes.size >= namesakesMax) return;
    this.#namesakes.set(id, this.#round);
    statistics.namesakes = this.#namesakes.size;
    if (!isNew) return;
    journal.warn("node.name_taken", {
      node: name,
      host,
      error: "another node of this cluster has this name",
    });
    // So that it knows as well; who is known already is not answered.
    this.#say();
  }

  #nextRound(): void {
    this.#round++;
    for (const [id, heard] of this.#namesakes)
      if (this.#round - heard > roundsMax) this.#namesakes.delete(id);
    this.#options.statistics.namesakes = this.#namesakes.size;
    this.#say();
  }
}
