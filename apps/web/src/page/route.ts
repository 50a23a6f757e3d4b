/**
 * Where the page is: the list, or one conversation. It is kept in the fragment (`#/c/alice:bob`), so that the back
 * button of a phone leads from a conversation to the list and a reload stays in place.
 */
const prefix = "#/c/";

export function routeOf(fragment: string): string | undefined {
  if (!fragment.startsWith(prefix)) return undefined;
  try {
    const conversation = decodeURIComponent(fragment.slice(prefix.length));
    return conversation === "" ? undefined : conversation;
  } catch {
    return undefined;
  }
}

export function fragmentOf(conversation: string | undefined): string {
  return conversation === undefined ? "" : prefix + encodeURIComponent(conversation).replaceAll("%3A", ":");
}

/** The open conversation as something to subscribe to. */
export const route = {
  current(): string | undefined {
    return routeOf(location.hash);
  },
  subscribe(listener: () => void): () => void {
    addEventListener("popstate", listener);
    addEventListener("hashchange", listener);
    return () => {
      removeEventListener("popstate", listener);
      removeEventListener("hashchange", listener);
    };
  },
  open(conversation: string): void {
    if (route.current() === conversation) return;
    // From one conversation to the next the entry is replaced: back always leads to the list.
    const method = route.current() === undefined ? "pushState" : "replaceState";
    history[method]({ fromList: true }, "", fragmentOf(conversation));
    dispatchEvent(new PopStateEvent("popstate"));
  },
  close(): void {
    if (route.current() === undefined) return;
    if (isFromList(history.state)) history.back();
    else {
      history.replaceState(null, "", location.pathname + location.search);
      dispatchEvent(new PopStateEvent("popstate"));
    }
  },
};

function isFromList(state: unknown): boolean {
  return typeof state === "object" && state !== null && "fromList" in state;
}
