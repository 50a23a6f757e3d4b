import type { NodeEvent } from "./event.ts";
import { nodeSubject, presenceSubject, userSubject } from "./keys.ts";
import type { NodeContext } from "./node-context.ts";
import type { Broker } from "./ports.ts";
import type { Session } from "./session.ts";

/**
 * How long other nodes have to say that somebody is there: 0.3 to 0.4 s. Ticks are counted and not time, so that a
 * process that stood still hears who has answered meanwhile.
 */
const answerTicks = 4;
/** Users in one event between nodes. */
const usersPerEventMax = 100;

/** Somebody waits for the answers of other nodes. */
interface Question {
  /** Those whom nobody has answered for yet, by presence subject. */
  readonly open: Map<string, string>;
  readonly found: Set<string>;
  ticksLeft: number;
  readonly resolve: (found: ReadonlySet<string>) => void;
}

/**
 * Asks other nodes whether somebody has a session there, and answers them. Nobody says no: who is not heard of in time
 * is not there. Each user is asked for on a subject of their own, so that only nodes hear it where the user is.
 */
export class Whereabouts {
  /** Of this process: two nodes may have the same name, and one that was started again is another one. */
  readonly id: string;
  readonly #node: NodeContext;
  readonly #broker: Broker<NodeEvent>;
  readonly #questions = new Set<Question>();
  /** The questions that wait for a user, by presence subject. */
  readonly #waiting = new Map<string, Set<Question>>();
  /** What this tick answers other nodes: users by domain, by the node that asked. */
  #answers = new Map<string, Map<string, Set<string>>>();
  /** Rises with everything that this node says, so that what is overtaken on the way is not believed. */
  #turn = 0;

  constructor(node: NodeContext, broker: Broker<NodeEvent>) {
    this.#node = node;
    this.#broker = broker;
    this.id = node.random.id();
  }

  /** Those of these users whom others have answered for; resolves when it is all of them, or they had time to. */
  async ask(domain: string, users: readonly string[]): Promise<ReadonlySet<string>> {
    if (users.length === 0) return new Set();
    return new Promise((resolve) => {
      const open = new Map(users.map((user) => [presenceSubject(domain, user), user]));
      const question: Question = { open, found: new Set(), ticksLeft: answerTicks, resolve };
      this.#questions.add(question);
      for (const subject of open.keys()) {
        const questions = this.#waiting.get(subject);
        if (questions === undefined) this.#waiting.set(subject, new Set([question]));
        else questions.add(question);
      }
      for (const user of users) this.askFor(domain, user);
    });
  }

  /** The same without waiting. */
  askFor(domain: string, user: string): void {
    this.#broker.publish([userSubject(domain, user)], { kind: "whereabouts", node: this.id });
  }

  /** The user of this subject is on another node. */
  heard(subject: string): void {
    const questions = this.#waiting.get(subject);
    if (questions === undefined) return;
    this.#waiting.delete(subject);
    for (const question of questions) {
      question.found.add(question.open.get(subject) as string);
      question.open.delete(subject);
      if (question.open.size === 0) this.#close(question);
    }
  }

  /** The user has come here, or has left. */
  tell(subject: string, domain: string, users: readonly string[], online: boolean): void {
    const turn = ++this.#turn;
    this.#broker.publish([subject], { kind: "online", domain, users, node: this.id, turn, online });
  }

  /** A node asks where the session's user is. */
  asked(session: Session, node: string): void {
    const { domain, user } = session.identity;
    if (node === this.id) return;
    if (this.#answers.size === 0) this.#node.clock.defer(this.#answer);
    const byDomain = this.#answers.get(node) ?? new Map<string, Set<string>>();
    this.#answers.set(node, byDomain);
    const users = byDomain.get(domain);
    if (users === undefined) byDomain.set(domain, new Set([user]));
    else users.add(user);
  }

  tick(): void {
    for (const question of this.#questions) if (--question.ticksLeft === 0) this.#close(question);
  }

  #close(question: Question): void {
    this.#questions.delete(question);
    for (const subject of question.open.keys()) {
      const questions = this.#waiting.get(subject);
      questions?.delete(question);
      if (questions?.size === 0) this.#waiting.delete(subject);
    }
    question.resolve(question.found);
  }

  readonly #answer = (): void => {
    const answers = this.#answers;
    this.#answers = new Map();
    for (const [asker, byDomain] of answers)
      for (const [domain, users] of byDomain) {
        // Who has left since is not here.
        const here = [...users].filter((user) => this.#node.sessions.of(domain, user).length > 0);
        for (let at = 0; at < here.length; at += usersPerEventMax)
          this.tell(nodeSubject(asker), domain, here.slice(at, at + usersPerEventMax), true);
      }
  };
}
