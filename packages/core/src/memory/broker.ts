import type { Broker } from "../ports.ts";

/**
 * The broker of a single node: hands events over at once, in the call. Publishing costs one map lookup and one call
 * per subject; an event for a subject without subscriber vanishes.
 */
export class MemoryBroker<E> implements Broker<E> {
  readonly #receivers = new Map<string, (event: E) => void>();

  /** A receiver that throws does not keep the event from the others; its error is thrown once all were served. */
  publish(subjects: readonly string[], event: E): void {
    let failure: { readonly error: unknown } | undefined;
    for (let i = 0; i < subjects.length; i++) {
      const receive = this.#receivers.get(subjects[i] as string);
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
  subscribe(subject: string, receive: (event: E) => void): void {
    if (this.#receivers.has(subject)) throw new Error(`There is a subscription of ${subject} already`);
    this.#receivers.set(subject, receive);
  }

  unsubscribe(subject: string): void {
    this.#receivers.delete(subject);
  }
}
