import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** The subprotocol that is chosen where a client offers it. It changes nothing: clients may leave it out. */
export const subprotocol = "hongyan";

const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const version = "13";
/** 16 bytes in base64. */
const keyPattern = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** What a handshake is answered with. */
export type Handshake =
  | { readonly outcome: "accepted"; readonly response: string }
  | {
      readonly outcome: "refused";
      readonly status: number;
      readonly message: string;
      readonly headers: Record<string, string>;
    };

export interface HandshakeRules {
  /** Whether pages of this origin may connect; undefined: the client is not a browser. */
  readonly isOriginAllowed: (origin: string | undefined, request: IncomingMessage) => boolean;
}

/** Judges the opening handshake (RFC 6455, section 4.2). */
export function judgeHandshake(request: IncomingMessage, rules: HandshakeRules): Handshake {
  const { headers } = request;
  if (request.method !== "GET")
    return refused(405, "a WebSocket handshake is a GET request", { Allow: "GET" });
  if (headers.upgrade?.toLowerCase() !== "websocket")
    return refused(426, "expected Upgrade: websocket", { Upgrade: "websocket" });
  if (headers["sec-websocket-version"] !== version) {
    return refused(426, "only version 13 of WebSocket is spoken here", {
      Upgrade: "websocket",
      "Sec-WebSocket-Version": version,
    });
  }
  const key = headers["sec-websocket-key"];
  if (key === undefined || !keyPattern.test(key))
    return refused(400, "Sec-WebSocket-Key must be 16 bytes in base64");
  if (!rules.isOriginAllowed(headers.origin, request))
    return refused(403, "pages of this origin may not connect");
  return { outcome: "accepted", response: acceptance(key, offers(headers["sec-websocket-protocol"])) };
}

/** The bytes of a refusal; the connection ends after it. */
export function refusal(status: number, message: string, headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return (
    `HTTP/1.1 ${status} ${phrases[status] ?? "Error"}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Length: ${Buffer.byteLength(message) + 1}\r\n${lines.join("")}\r\n${message}\n`
  );
}

const phrases: Record<number, string> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  426: "Upgrade Required",
  503: "Service Unavailable",
};

function refused(status: number, message: string, headers: Record<string, string> = {}): Handshake {
  return { outcome: "refused", status, message, headers };
}

function acceptance(key: string, withSubprotocol: boolean): string {
  const accept = createHash("sha1").update(key).update(acceptSuffix).digest("base64");
  return (
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n` +
    `${withSubprotocol ? `Sec-WebSocket-Protocol: ${subprotocol}\r\n` : ""}\r\n`
  );
}

function offers(header: string | undefined): boolean {
  return header?.split(",").some((offer) => offer.trim() === subprotocol) ?? false;
}
