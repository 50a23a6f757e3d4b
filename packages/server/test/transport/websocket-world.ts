/** A Hongyan WebSocket endpoint over the echo acceptor, and raw clients for it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type DecodedFrame, encodeFrame, type Frame, jsonCodec, readFrames } from "@hongyan/protocol";
import { attachWebSocket, type WebSocketOptions } from "../../src/transport/websocket/attach.ts";
import type { WebSocketUpgrades } from "../../src/transport/websocket/upgrade.ts";
import { EchoAcceptor, TestJournal } from "./echo-acceptor.ts";
import { RawWebSocket } from "./raw-websocket.ts";

export const text = 1;
export const binary = 2;

export let http: Server;
export let port: number;
export let acceptor: EchoAcceptor;
export let journal: TestJournal;
export let listener: WebSocketUpgrades;

export async function start(options: Partial<WebSocketOptions> = {}): Promise<void> {
  acceptor = new EchoAcceptor();
  journal = new TestJournal();
  http = createServer((_request, response) => response.end("page"));
  listener = attachWebSocket(http, { acceptor, journal, lingerMs: 100, ...options });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  port = (http.address() as AddressInfo).port;
}

export async function stop(): Promise<void> {
  http.close();
  http.closeAllConnections();
  for (const { connection } of acceptor.seen) connection.close("going_away");
  await listener.close();
}

export const open = (): Promise<RawWebSocket> => RawWebSocket.open(port, "/ws");
export const bytesOf = (frame: Frame, codec = jsonCodec): Uint8Array => encodeFrame(frame, codec);
export const ping = (id: number): Frame => ({ type: "ping", id });

export function decoded(payload: Uint8Array): DecodedFrame[] {
  const frames: DecodedFrame[] = [];
  readFrames(payload, {
    frame: (frame) => frames.push(frame),
    bad(error) {
      throw error;
    },
  });
  return frames;
}

export const jsonOf = (payload: Buffer): Record<string, unknown> => JSON.parse(payload.toString());
