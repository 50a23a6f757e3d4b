import type { View } from "@hongyan/client";

/** Several views as one. The combined snapshot keeps its identity until one of the parts has changed. */
export function combineViews<S>(views: readonly View<S>[]): View<readonly S[]> {
  let last: readonly S[] = views.map((view) => view.snapshot);
  return {
    get snapshot() {
      if (views.some((view, index) => view.snapshot !== last[index]))
        last = views.map((view) => view.snapshot);
      return last;
    },
    subscribe(listener) {
      const ends = views.map((view) => view.subscribe(listener));
      return () => {
        for (const end of ends) end();
      };
    },
  };
}
