/** Two nodes on one store, and what lies between them. */
import { MemoryStore } from "@hongyan/core/memory";
import { type Broker, listOf, type NodeEvent, type Settings } from "../src/index.ts";
import { House, repairEveryMs } from "./house.ts";

/** What lies between two houses: carries a little later, or loses. */
export class Street {
  isClosed = false;
  /** What was published, in the order in which that happened. */
  readonly carried: NodeEvent[] = [];
  readonly #houses: Map<string, (event: NodeEvent) => void>[] = [];

  /** Brings an event to everybody, as a broker may that doubles or delays. */
  carry(subjects: readonly string[], event: NodeEvent): void {
    for (const house of this.#houses) for (const subject of subjects) house.get(subject)?.({ ...event });
  }

  end(): Broker<NodeEvent> {
    const receivers = new Map<string, (event: NodeEvent) => void>();
    this.#houses.push(receivers);
    return {
      publish: (subjects, event) => {
        const list = listOf(subjects);
        this.carried.push(event);
        for (const house of this.#houses) {
          const deliver = (): void => {
            for (const subject of list) house.get(subject)?.({ ...event });
          };
          if (house === receivers) deliver();
          else if (!this.isClosed) setImmediate(deliver);
        }
      },
      subscribe: (subject, receive) => void receivers.set(subject, receive),
      unsubscribe: (subject) => void receivers.delete(subject),
    };
  }
}

/** Two nodes on one store. */
export function neighbours(changes: Partial<Settings> = {}) {
  const store = new MemoryStore();
  const street = new Street();
  const [here, there] = [1, 2].map(() => new House(changes, store, undefined, street.end())) as [
    House,
    House,
  ];
  return { store, street, here, there };
}

/** Longer than a round of comparing, in ticks. */
export async function pass(house: House): Promise<void> {
  for (let ms = 0; ms < 3 * repairEveryMs; ms += 200) await house.tick();
}
