import type { ClientEventName, ClientEvents, Message } from "../api.ts";

/** The application's handlers. */
export class Events {
  readonly #handlers = new Map<ClientEventName, Set<(event: never) => unknown>>();

  on<N extends ClientEventName>(name: N, handler: ClientEvents[N]): () => void {
    let handlers = this.#handlers.get(name);
    if (handlers === undefined) {
      handlers = new Set();
      this.#handlers.set(name, handlers);
    }
    const own = (event: never): unknown => (handler as (event: never) => unknown)(event);
    handlers.add(own);
    return () => void handlers.delete(own);
  }

  has(name: ClientEventName): boolean {
    return (this.#handlers.get(name)?.size ?? 0) > 0;
  }

  /** A handler that throws is reported and does not keep the others from being called. */
  emit<N extends Exclude<ClientEventName, "message">>(name: N, event: Parameters<ClientEvents[N]>[0]): void {
    for (const handler of [...(this.#handlers.get(name) ?? [])]) {
      try {
        handler(event as never);
      } catch (error) {
        if (name !== "error") this.emit("error", asError(error));
      }
    }
  }

  /** Hands an entry to all handlers, one after another. Throws or rejects where one of them failed. */
  deliver(message: Message): void | Promise<void> {
    const handlers = this.#handlers.get("message");
    if (handlers === undefined || handlers.size === 0) return;
    const rest = [...handlers];
    for (let at = 0; at < rest.length; at++) {
      const working = rest[at]?.(message as never);
      if (isPromise(working)) return this.#deliverRest(working, rest.slice(at + 1), message);
    }
  }

  async #deliverRest(
    first: Promise<unknown>,
    rest: ((event: never) => unknown)[],
    message: Message,
  ): Promise<void> {
    await first;
    for (const handler of rest) await handler(message as never);
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
