/** The SDK for Node: adds TCP and a storage in a folder. Keeps everything in memory unless told otherwise. */
import type { Client, ClientOptions } from "./api.ts";
import { HongyanClient } from "./client.ts";
import { systemClock, systemRandom } from "./platform/system.ts";
import type { Transport } from "./ports.ts";
import { MemoryStorage } from "./storage/memory-storage.ts";
import { serverUrls } from "./transport/server-urls.ts";
import { TcpTransport } from "./transport/tcp.ts";
import { webTransports } from "./transport/web-transports.ts";

export { directConversationId, type ErrorName, ProtocolError } from "@hongyan/protocol";
export type * from "./api.ts";
export { createClientOn } from "./create-client-on.ts";
export { systemClock, systemRandom } from "./platform/system.ts";
export type * from "./ports.ts";
export { FileStorage, type FileStorageOptions } from "./storage/file-storage.ts";
export { MemoryStorage } from "./storage/memory-storage.ts";

export function createClient(options: ClientOptions): Client {
  const storage = options.storage ?? new MemoryStorage();
  return new HongyanClient(
    { clock: systemClock, random: systemRandom, storage, transports: transportsOf(options) },
    options,
  );
}

/** The transports that `options` ask for. */
export function transportsOf({
  url,
  transport = "auto",
}: Pick<ClientOptions, "url" | "transport">): readonly Transport[] {
  const urls = serverUrls(url);
  if (urls.tcp !== undefined) {
    if (transport !== "auto" && transport !== "tcp")
      throw new TypeError(`${transport} needs a url like http://host:port`);
    return [new TcpTransport(urls.tcp.host, urls.tcp.port)];
  }
  return webTransports(urls, transport);
}
