/** What the routes of the HTTP API work with. */
import type { Backend, Journal } from "@hongyan/core";
import type { ApiKeys, Caller } from "../auth/api-keys.ts";
import type { Token } from "../auth/tokens.ts";

export interface Services {
  readonly apiKeys: ApiKeys;
  readonly journal: Journal;
  readonly bodyBytesMax: number;
  readonly tokenLifetimeMsMax: number;
  readonly logRequests: boolean;
  backend(domain: string): Backend;
  mintToken(domain: string, user: string, lifetimeMs: number): Promise<Token>;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Whose API key the request carries: the only domain that it can reach (G10). */
    caller: Caller;
  }
}
