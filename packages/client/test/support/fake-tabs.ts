import type { TabPorts } from "../../src/ports.ts";

/** The locks and channels of one browser. */
export class FakeBrowser {
  readonly #waiting: { tab: symbol; held: () => void }[] = [];
  readonly #channels = new Map<symbol, (message: unknown) => void>();
  #holder: symbol | undefined;

  /** One tab of it; `close` ends it as a browser does: without a word. */
  tab(): { ports: TabPorts; close: () => void } {
    const tab = Symbol("tab");
    let isClosed = false;
    const ports: TabPorts = {
      lock: (held) => {
        this.#waiting.push({ tab, held });
        this.#grant();
        return () => this.#release(tab);
      },
      channel: (receive) => {
        this.#channels.set(tab, receive);
        return {
          post: (message) => {
            if (isClosed) return;
            const copy = structuredClone(message);
            for (const [other, tell] of this.#channels)
              if (other !== tab)
                queueMicrotask(() => this.#channels.has(other) && tell(structuredClone(copy)));
          },
          close: () => void this.#channels.delete(tab),
        };
      },
    };
    return {
      ports,
      close: () => {
        isClosed = true;
        this.#channels.delete(tab);
        this.#release(tab);
      },
    };
  }

  #release(tab: symbol): void {
    const at = this.#waiting.findIndex((waiting) => waiting.tab === tab);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (this.#holder !== tab) return;
    this.#holder = undefined;
    this.#grant();
  }

  #grant(): void {
    if (this.#holder !== undefined) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#holder = next.tab;
    queueMicrotask(next.held);
  }
}
