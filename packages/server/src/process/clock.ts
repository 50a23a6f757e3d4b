/** The real clock. */
import type { Clock } from "@hongyan/core";

/**
 * `defer` costs one `setImmediate` per tick, however much is deferred: it runs after the sockets that were
 * readable in this turn of the event loop have been read, which is where batches close.
 */
export function systemClock(): Clock {
  let waiting: (() => void)[] = [];

  function run(): void {
    const works = waiting;
    waiting = [];
    let done = 0;
    try {
      for (const work of works) {
        done++;
        work();
      }
    } finally {
      // One that throws must not take the batches behind it along.
      if (done < works.length) {
        if (waiting.length === 0) setImmediate(run);
        waiting = [...works.slice(done), ...waiting];
      }
    }
  }

  return {
    now: Date.now,
    defer(work) {
      if (waiting.push(work) === 1) setImmediate(run);
    },
  };
}
