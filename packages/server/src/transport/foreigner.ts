/**
 * Somebody who takes the TCP port for another one: a health check by HTTP, a proxy that speaks TLS to it, a person at
 * `nc`. All of these begin with what would be the length of a frame of hundreds of megabytes, so that no frame is taken
 * for one of them.
 */
import type { Journal } from "@hongyan/core";

export type Foreigner = "http" | "tls" | "text";

/** What to do, for the one who asks and for the one who reads the log. */
export const adviceTo: Readonly<Record<Foreigner, string>> = {
  http: "This is the TCP port, which takes binary frames. Page, HTTP API, WebSocket, long poll and /readyz are at the HTTP port.",
  tls: "This port speaks no TLS: that is for a proxy in front of it, which comes here without.",
  text: "This port takes binary frames only. Text mode is spoken over WebSocket and long poll, at the HTTP port.",
};

const methods = /^(?:GET |HEAD|POST|PUT |DELE|OPTI|PATC|CONN|TRAC|PRI )$/;

/** By the first bytes of a connection. */
export function foreignerOf(first: Uint8Array): Foreigner | undefined {
  if (first.length < 4) return undefined;
  const four = first.subarray(0, 4);
  // A handshake record of TLS: its type, and the major version.
  if (four[0] === 0x16 && four[1] === 0x03) return "tls";
  if (methods.test(String.fromCharCode(...four))) return "http";
  return four.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d)
    ? "text"
    : undefined;
}

/** An answer that an HTTP client understands. */
export function httpRefusal(): Uint8Array {
  const body = `${adviceTo.http}\n`;
  const headers = ["HTTP/1.1 400 Bad Request", "Content-Type: text/plain", `Content-Length: ${body.length}`];
  return Buffer.from(`${[...headers, "Connection: close"].join("\r\n")}\r\n\r\n${body}`);
}

/** Says once for each kind that they come: a health check comes every second. */
export class ForeignerLog {
  readonly #journal: Journal;
  readonly #said = new Set<Foreigner>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  note(foreigner: Foreigner, address: string | undefined): void {
    if (this.#said.has(foreigner)) return;
    this.#said.add(foreigner);
    this.#journal.warn("tcp.foreign", { speaks: foreigner, address, hint: adviceTo[foreigner] });
  }
}
