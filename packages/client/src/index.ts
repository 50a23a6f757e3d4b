/** The SDK for browsers. `@hongyan/client/node` is the same for Node, `@hongyan/client/react` has the hooks. */

import { accountOf } from "./account.ts";
import type { Client, ClientOptions } from "./api.ts";
import { HongyanClient } from "./client.ts";
import { browserHints } from "./platform/browser-hints.ts";
import { browserTabs, hasTabPorts, tabName } from "./platform/browser-tabs.ts";
import { systemClock, systemRandom } from "./platform/system.ts";
import type { ClientPorts } from "./ports.ts";
import { IndexedDbStorage } from "./storage/indexeddb-storage.ts";
import { MemoryStorage } from "./storage/memory-storage.ts";
import { serverUrls } from "./transport/server-urls.ts";
import { webTransports } from "./transport/web-transports.ts";

export { directConversationId, type ErrorName, ProtocolError } from "@hongyan/protocol";
export type * from "./api.ts";
export { createClientOn } from "./create-client-on.ts";
export type * from "./ports.ts";
export { IndexedDbStorage } from "./storage/indexeddb-storage.ts";
export { MemoryStorage } from "./storage/memory-storage.ts";

/** A client with everything that the browser offers: IndexedDB, its tabs as one device, WebSocket and HTTP. */
export function createClient(options: ClientOptions): Client {
  return new HongyanClient(browserPorts(options), options);
}

function browserPorts(options: ClientOptions): ClientPorts {
  const origin = typeof location === "undefined" ? undefined : location.origin;
  const urls = serverUrls(options.url ?? origin);
  const transports = webTransports(urls, options.transport ?? "auto");
  const common = { clock: systemClock, random: systemRandom, transports, hints: browserHints() };
  if (options.storage !== undefined) return { ...common, storage: options.storage };
  if (typeof indexedDB === "undefined") return { ...common, storage: new MemoryStorage() };
  const account = `hongyan/${urls.http}/${options.account ?? accountOf(options.token)}`;
  if (hasTabPorts()) return { ...common, storage: new IndexedDbStorage(account), tabs: browserTabs(account) };
  // Without locks nobody can say which tab leads: each is a device of its own, which its reload finds again.
  return { ...common, storage: new IndexedDbStorage(`${account}/${tabName(systemRandom)}`) };
}
