import type { IncomingMessage } from "node:http";
import type { Journal } from "@hongyan/core";

/** Whoever makes origins up must fill neither the log nor the memory: so many are named, each once. */
const namedMax = 100;
const originLengthMax = 200;

/**
 * Which web pages may connect. Tokens are not cookies, so a foreign page has nothing to misuse; but a browser must
 * not be the way into a server that only the own page should reach. Who is refused is told little: the log says
 * which origin it was, and the setting that would let it in.
 */
export class Origins {
  readonly #allowed: readonly string[];
  readonly #journal: Journal;
  readonly #named = new Set<string>();

  constructor(allowed: readonly string[], journal: Journal) {
    this.#allowed = allowed;
    this.#journal = journal;
  }

  /** True without an `Origin` (not a browser), for the server's own page, and for the origins that are configured. */
  allows(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    if (origin === undefined || this.#allowed.includes("*") || this.#allowed.includes(origin)) return true;
    if (URL.canParse(origin) && new URL(origin).host === host) return true;
    this.#name(origin.slice(0, originLengthMax), host?.slice(0, originLengthMax));
    return false;
  }

  #name(origin: string, host: string | undefined): void {
    if (this.#named.size >= namedMax || this.#named.has(origin)) return;
    this.#named.add(origin);
    const isLast = this.#named.size === namedMax;
    this.#journal.warn("origin.refused", {
      origin,
      host,
      allowedOrigins: this.#allowed,
      hint: `pages of this origin may connect where --allowed-origins names it${isLast ? "; further origins are not logged" : ""}`,
    });
  }
}
