import { type Broker, listOf, type NodeEvent } from "@hongyan/core";
import { SharedFrame } from "@hongyan/protocol";
import type { BrokerConditions } from "../plan/plan.ts";
import type { Scheduler } from "../scheduler.ts";
import type { SeededRandom } from "../seeded-random.ts";

export const calmBroker: BrokerConditions = {
  isDirect: true,
  latencyMsMax: 2,
  drop: 0,
  duplicate: 0,
  hold: 0,
  holdMsMax: 0,
};

/** One life of a node, as the broker knows it. */
interface Member {
  readonly name: string;
  readonly receivers: Map<string, (event: NodeEvent) => void>;
}

/**
 * What lies between the nodes of a world: loses, repeats, delays and reorders, and may be out of a node's reach.
 */
export class SimBroker {
  conditions: BrokerConditions;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #members = new Set<Member>();
  readonly #cut = new Set<string>();

  constructor(scheduler: Scheduler, random: SeededRandom, conditions: BrokerConditions) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.conditions = conditions;
  }

  /** A node's end of the broker; `leave` when the node is gone. */
  join(name: string): { broker: Broker<NodeEvent>; leave(): void } {
    const member: Member = { name, receivers: new Map() };
    this.#members.add(member);
    const broker: Broker<NodeEvent> = {
      publish: (subjects, event) => this.#publish(member, listOf(subjects), event),
      subscribe: (subject, receive) => {
        if (member.receivers.has(subject)) throw new Error(`There is a subscription of ${subject} already`);
        member.receivers.set(subject, receive);
      },
      unsubscribe: (subject) => member.receivers.delete(subject),
    };
    return { broker, leave: () => this.#members.delete(member) };
  }

  /** The node reaches nobody, and nobody the node, until `mend`. */
  cut(name: string): void {
    this.#cut.add(name);
  }

  mend(name: string): void {
    this.#cut.delete(name);
  }

  heal(): void {
    this.conditions = { ...calmBroker, isDirect: this.conditions.isDirect };
    this.#cut.clear();
  }

  #publish(from: Member, subjects: readonly string[], event: NodeEvent): void {
    const { isDirect } = this.conditions;
    if (isDirect) for (const subject of subjects) from.receivers.get(subject)?.(event);
    for (const to of this.#members) {
      if (to === from && isDirect) continue;
      const wanted = subjects.filter((subject) => to.receivers.has(subject));
      if (wanted.length > 0) this.#carry(from, to, wanted, event);
    }
  }

  #carry(from: Member, to: Member, subjects: readonly string[], event: NodeEvent): void {
    const { drop, duplicate } = this.conditions;
    if (this.#cut.has(from.name) || this.#cut.has(to.name) || this.#random.chance(drop)) return;
    for (let copies = this.#random.chance(duplicate) ? 2 : 1; copies > 0; copies--) {
      this.#scheduler.after(this.#delayMs(), () => {
        if (!this.#members.has(to)) return;
        for (const subject of subjects) to.receivers.get(subject)?.(copyOf(event));
      });
    }
  }

  #delayMs(): number {
    const { latencyMsMax, hold, holdMsMax } = this.conditions;
    const heldMs = this.#random.chance(hold) ? this.#random.between(0, holdMsMax) : 0;
    return this.#random.fraction() * latencyMsMax + heldMs;
  }
}

/** What arrives at another process shares nothing with what was sent. */
function copyOf(event: NodeEvent): NodeEvent {
  return event.kind === "message" ? { ...event, frame: new SharedFrame(event.frame.frame) } : { ...event };
}
