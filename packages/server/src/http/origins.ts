/**
 * Which web pages may connect. Tokens are not cookies, so a foreign page has nothing to misuse; but a browser must
 * not be the way into a server that only the own page should reach.
 */
import type { IncomingMessage } from "node:http";

/** True without an `Origin` (not a browser), for the server's own page, and for the origins that are configured. */
export function isAllowedOrigin(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || allowed.includes("*") || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
