import type { TransportName } from "../api.ts";
import type { Transport } from "../ports.ts";
import { EventStreamTransport } from "./event-stream.ts";
import { LongPollTransport } from "./long-poll.ts";
import type { ServerUrls } from "./server-urls.ts";
import { WebSocketTransport } from "./websocket.ts";

/** The transports for `name` that work wherever there is `fetch`. Throws where there is none. */
export function webTransports(urls: ServerUrls, name: TransportName): readonly Transport[] {
  switch (name) {
    case "auto":
      return [new WebSocketTransport(urls.websocket), new LongPollTransport(urls.http)];
    case "websocket":
      return [new WebSocketTransport(urls.websocket)];
    case "poll":
      return [new LongPollTransport(urls.http)];
    case "stream":
      return [new EventStreamTransport(urls.http)];
    case "tcp":
      throw new TypeError("tcp needs @hongyan/client/node and a url like tcp://host:port");
  }
}
