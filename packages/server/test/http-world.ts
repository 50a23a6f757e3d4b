/** An HTTP server without a port, for tests: two domains, and any backend behind them. */
import { type Backend, type Journal, Node } from "@hongyan/core";
import { MemoryBroker, MemoryStore } from "@hongyan/core/memory";
import { addApi } from "../src/api/api.ts";
import { addOpenApiRoute, describeApi } from "../src/api/openapi.ts";
import { apiKeysOf } from "../src/auth/api-keys.ts";
import { openKeyRing } from "../src/auth/key-ring.ts";
import { mintToken, tokenAuthenticator } from "../src/auth/tokens.ts";
import { resolveConfig } from "../src/config/resolve.ts";
import { createHttpServer } from "../src/http/http-server.ts";
import { systemClock } from "../src/process/clock.ts";
import { systemRandom } from "../src/process/random.ts";

export const acmeKey = "acme-api-key-".padEnd(40, "a");
export const boltKey = "bolt-api-key-".padEnd(40, "b");

const domains = {
  acme: { keys: { a1: "acme-secret-".padEnd(40, "a") }, apiKeys: { backend: acmeKey } },
  bolt: { keys: { b1: "bolt-secret-".padEnd(40, "b") }, apiKeys: { backend: boltKey } },
};

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes.
  readonly body: any;
}

export interface Call {
  readonly key?: string | undefined;
  readonly headers?: Record<string, string>;
}

export interface World {
  readonly log: string[];
  call(method: string, url: string, body?: unknown, options?: Call): Promise<Answer>;
}

/** The API before the real core on the memory store, or before `backend`. */
export async function httpWorld(backend?: Backend): Promise<World> {
  const log: string[] = [];
  const journal: Journal = {
    info: (event, details) => log.push(`${event} ${JSON.stringify(details)}`),
    warn: (event, details) => log.push(`${event} ${JSON.stringify(details)}`),
  };
  const keyRing = await openKeyRing(domains);
  const clock = systemClock();
  const { config } = resolveConfig({});
  const node = new Node({
    name: "test",
    store: new MemoryStore(),
    broker: new MemoryBroker(),
    clock,
    random: systemRandom,
    journal,
    authenticator: tokenAuthenticator({ keyRing, lifetimeMsMax: 1e9, now: clock.now }),
    settings: config,
  });
  const { app } = createHttpServer({
    journal,
    origins: { allows: () => true },
    held: { handle: () => false },
  });
  await describeApi(app, "0.0.0");
  await addApi(app, {
    apiKeys: apiKeysOf(domains),
    journal,
    bodyBytesMax: 100,
    tokenLifetimeMsMax: 3_600_000,
    logRequests: true,
    backend: (domain) => backend ?? node.backend(domain),
    mintToken: (domain, user, lifetimeMs) =>
      mintToken(keyRing, { domain, user, lifetimeMs, now: clock.now() }),
  });
  addOpenApiRoute(app);
  await app.ready();
  return {
    log,
    async call(method, url, body, { key = acmeKey, headers = {} } = {}) {
      const response = await app.inject({
        method: method as "GET",
        url,
        headers: { ...(key === "" ? {} : { authorization: `Bearer ${key}` }), ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      });
      const isJson = String(response.headers["content-type"]).startsWith("application/json");
      return {
        status: response.statusCode,
        headers: response.headers,
        body: isJson ? response.json() : response.body,
      };
    },
  };
}
