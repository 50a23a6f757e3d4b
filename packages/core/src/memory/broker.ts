import type { Broker } from "../ports.ts";

/** Lists of subjects from this length on are looked up once, and again when somebody comes or goes. */
const rememberedFrom = 64;

/** Which subjects of a list had a subscriber, as of a generation of the subscriptions. */
interface Subscribed {
  readonly generation: number;
  readonly subjects: readonly string[];
}

/**
 * The broker of a single node: hands events over at once, in the call. Publishing costs one map lookup and one call
 * per subject; an event for a subject without subscriber vanishes. Of a long list only the subjects with subscribers
 * are looked at, as long as it is the same list: a message to 100,000 members of whom nobody is online costs
 * 0.1 instead of 1,800 µs.
 */
export class MemoryBroker<E> implements Broker<E> {
  readonly #receivers = new Map<string, (event: E) => void>();
  readonly #subscribed = new WeakMap<readonly string[], Subscribed>();
  /** Rises with every subscription that begins or ends. */
  #generation = 0;

  /** A receiver that throws does not keep the event from the others; its error is thrown once all were served. */
  publish(subjects: readonly string[], event: E): void {
    const wanted = subjects.length < rememberedFrom ? subjects : this.#online(subjects);
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

  #online(subjects: readonly string[]): readonly string[] {
    const known = this.#subscribed.get(subjects);
    if (known?.generation === this.#generation) return known.subjects;
    const online = subjects.filter((subject) => this.#receivers.has(subject));
    this.#subscribed.set(subjects, { generation: this.#generation, subjects: online });
    return online;
  }
}
