/**
 * Virtual time. Everything that happens in a simulated world is an event here: timers, arrivals, disk completions,
 * deferred work. One event is one step; all promise reactions to it run before the next one.
 */
export interface Scheduled {
  readonly at: number;
  readonly order: number;
  work: (() => void) | undefined;
}

export class Scheduler {
  /** Milliseconds since the start of the world. */
  now = 0;
  steps = 0;
  readonly #heap: Scheduled[] = [];
  #order = 0;

  /** Runs `work` after `delayMs`; events of the same instant run in the order in which they were scheduled. */
  after(delayMs: number, work: () => void): Scheduled {
    const event: Scheduled = { at: this.now + Math.max(0, delayMs), order: this.#order++, work };
    this.#push(event);
    return event;
  }

  cancel(event: Scheduled): void {
    event.work = undefined;
  }

  /** Runs the next event. False where there is none up to `until`; time is then `until`. */
  step(until: number): boolean {
    for (;;) {
      const event = this.#heap[0];
      if (event === undefined || event.at > until) {
        this.now = Math.max(this.now, until);
        return false;
      }
      this.#pop();
      const work = event.work;
      if (work === undefined) continue;
      event.work = undefined;
      this.now = event.at;
      this.steps++;
      work();
      return true;
    }
  }

  #push(event: Scheduled): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Scheduled;
      if (!before(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && before(heap[right] as Scheduled, heap[child] as Scheduled)) child = right;
      if (!before(heap[child] as Scheduled, last)) break;
      heap[at] = heap[child] as Scheduled;
      at = child;
    }
    heap[at] = last;
  }
}

function before(one: Scheduled, other: Scheduled): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** Lets every promise reaction run that is due. A macrotask turn costs 1 µs and cannot end too early. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
