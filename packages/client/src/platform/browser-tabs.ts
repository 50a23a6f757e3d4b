import type { Random, TabPorts } from "../ports.ts";

/** Locks exist only in secure contexts: not on plain http but for localhost. */
export function hasTabPorts(): boolean {
  return typeof navigator !== "undefined" && "locks" in navigator && typeof BroadcastChannel !== "undefined";
}

/** Web Locks and a BroadcastChannel, named after the account. */
export function browserTabs(account: string): TabPorts {
  return {
    lock: (held) => {
      const waiting = new AbortController();
      let release: (() => void) | undefined;
      const work = (): Promise<void> =>
        new Promise((resolve) => {
          release = resolve;
          held();
        });
      // Rejected only when the waiting is ended below.
      navigator.locks.request(account, { signal: waiting.signal }, work).catch(() => undefined);
      return () => {
        waiting.abort();
        release?.();
      };
    },
    channel: (receive) => {
      const channel = new BroadcastChannel(account);
      channel.onmessage = (event) => receive(event.data);
      return {
        post: (message) => channel.postMessage(message),
        close: () => channel.close(),
      };
    },
  };
}

/** A name that this tab keeps over reloads. */
export function tabName(random: Random): string {
  const key = "hongyan.tab";
  try {
    const known = sessionStorage.getItem(key);
    if (known !== null) return known;
    const name = `tab-${random.id()}`;
    sessionStorage.setItem(key, name);
    return name;
  } catch {
    return `tab-${random.id()}`;
  }
}
