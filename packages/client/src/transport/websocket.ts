import type { EncodedFrame, Transport, TransportConnection, TransportEvents } from "../ports.ts";

/** Binary frames over WebSocket; the frames of one tick share one message. */
export class WebSocketTransport implements Transport {
  readonly name = "websocket";
  readonly mode = "binary";
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  open(events: TransportEvents): TransportConnection {
    let isOver = false;
    let socket: WebSocket | undefined;
    const end = (cause: { code?: number; reason: string }): void => {
      if (isOver) return;
      isOver = true;
      events.closed(cause);
    };
    try {
      socket = new WebSocket(this.#url);
    } catch (error) {
      // A url that is refused at once (mixed content, a blocked port) is told like any other failure: later.
      queueMicrotask(() => end({ reason: String(error) }));
      return {
        send: () => undefined,
        close: () => {
          isOver = true;
        },
      };
    }
    const open = socket;
    open.binaryType = "arraybuffer";
    open.onopen = () => {
      if (!isOver) events.opened();
    };
    open.onmessage = ({ data }: MessageEvent) => {
      if (isOver) return;
      if (data instanceof ArrayBuffer) events.received(new Uint8Array(data));
    };
    open.onclose = ({ code, reason }) =>
      end({ code, reason: reason === "" ? `WebSocket closed with ${code}` : reason });
    open.onerror = () => {
      // `close` follows where the socket was open; before that browsers tell nothing more.
      if (open.readyState === WebSocket.CLOSED) end({ reason: "WebSocket could not be opened" });
    };
    return {
      send: (frames) => {
        if (open.readyState === WebSocket.OPEN) open.send(joined(frames));
      },
      close: () => {
        isOver = true;
        open.close();
      },
    };
  }
}

/** Binary frames one after another. */
export function joined(frames: readonly EncodedFrame[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const frame of frames) length += frame.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const frame of frames) {
    if (typeof frame === "string") continue;
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}
