import { Audience, listOf, type SubjectChange, type Subjects } from "../audience.ts";
import type { Broker } from "../ports.ts";

/** Lists of subjects from this length on are looked up once, and again when somebody comes or goes. */
const rememberedFrom = 64;

/** Which subjects of a list had a subscriber, as of a generation of the subscriptions. */
interface Subscribed {
  readonly generation: number;
  /** Of an audience. */
  readonly version: number;
  readonly online: readonly string[];
}

/**
 * The broker of a single node: hands events over at once, in the call. Publishing costs one map lookup and one call
 * per subject; an event for a subject without subscriber vanishes. Of a long list only the subjects with subscribers
 * are looked at, as long as it is the same list: a message to 100,000 members of whom nobody is online costs
 * 0.1 instead of 1,800 µs, also where members of an audience have come and gone.
 */
export class MemoryBroker<E> implements Broker<E> {
  readonly #receivers = new Map<string, (event: E) => void>();
  readonly #subscribed = new WeakMap<Subjects, Subscribed>();
  /** Rises with every subscription that begins or ends. */
  #generation = 0;

  /** A receiver that throws does not keep the event from the others; its error is thrown once all were served. */
  publish(subjects: Subjects, event: E): void {
    const wanted = this.#wanted(subjects);
    let failure: { readonly error: unknown } | undefined;
    for (let i = 0; i < wanted.length; i++) {
      const receive = this.#receivers.get(wanted[i] as string);
      if (receive === undefined) continue;
      try {
        receive(event);
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  /** Throws where the subject has a subscription already. */
  subscribe(subject: string, receive: (event: E) => void): undefined {
    if (this.#receivers.has(subject)) throw new Error(`There is a subscription of ${subject} already`);
    this.#receivers.set(subject, receive);
    this.#generation++;
  }

  unsubscribe(subject: string): void {
    this.#receivers.delete(subject);
    this.#generation++;
  }

  #wanted(subjects: Subjects): readonly string[] {
    const isAudience = subjects instanceof Audience;
    const size = isAudience ? subjects.size : subjects.length;
    if (size < rememberedFrom) return listOf(subjects);
    const generation = this.#generation;
    const version = isAudience ? subjects.version : 0;
    const known = this.#subscribed.get(subjects);
    const isOfNow = known?.generation === generation;
    if (isOfNow && known.version === version) return known.online;
    const changes = isOfNow && isAudience ? subjects.since(known.version) : undefined;
    const online =
      changes === undefined
        ? listOf(subjects).filter((subject) => this.#receivers.has(subject))
        : this.#changed(known?.online ?? [], changes);
    this.#subscribed.set(subjects, { generation, version, online });
    return online;
  }

  /** Costs nothing where those who came and went have no subscriber. */
  #changed(before: readonly string[], changes: readonly SubjectChange[]): readonly string[] {
    let online = before;
    for (const { subject, isIn } of changes) {
      if (!this.#receivers.has(subject)) continue;
      online = online.filter((other) => other !== subject);
      if (isIn) online = [...online, subject];
    }
    return online;
  }
}
