/** As much of the NATS client protocol as a client needs that publishes, subscribes and acknowledges. */
import type { Outgoing } from "../../wire/outgoing.ts";
import { writeDigits } from "./body.ts";

const space = 32;
const newline = 10;
const lineEnd = Buffer.from("\r\n");

/** Digits of the number in a reply subject: `_INBOX.u0.s00000001`. */
export const replyDigits = 8;

/** Publishes of one subject, ready but for body and reply. */
export class PublishWriter {
  readonly #head: Buffer;
  readonly #replyAt: number;
  #size = -1;
  #sizeText = lineEnd;

  /** With `reply` the server's answer to the n-th message goes to `<reply><n>`. */
  constructor(subject: string, reply: string | undefined) {
    this.#head = Buffer.from(
      reply === undefined ? `PUB ${subject} ` : `PUB ${subject} ${reply}${"0".repeat(replyDigits)} `,
    );
    this.#replyAt = reply === undefined ? -1 : this.#head.length - 1 - replyDigits;
  }

  write(connection: Outgoing, body: Buffer, n: number): void {
    if (body.length !== this.#size) {
      this.#size = body.length;
      this.#sizeText = Buffer.from(`${body.length}\r\n`);
    }
    const head = this.#head;
    const out = connection.reserve(head.length + this.#sizeText.length + body.length + 2);
    let at = connection.length;
    out.set(head, at);
    if (this.#replyAt >= 0) writeDigits(out, at + this.#replyAt, n, replyDigits);
    at += head.length;
    out.set(this.#sizeText, at);
    at += this.#sizeText.length;
    out.set(body, at);
    at += body.length;
    out[at] = 13;
    out[at + 1] = newline;
    connection.length = at + 2;
  }
}

const ackHead = Buffer.from("PUB ");
const ackTail = Buffer.from(" 0\r\n\r\n");

/** An empty message to the subject `bytes[start, end)`: to JetStream an acknowledgement. */
export function writeAck(connection: Outgoing, bytes: Buffer, start: number, end: number): void {
  const size = end - start;
  const out = connection.reserve(ackHead.length + size + ackTail.length);
  let at = connection.length;
  out.set(ackHead, at);
  at += ackHead.length;
  bytes.copy(out, at, start, end);
  at += size;
  out.set(ackTail, at);
  connection.length = at + ackTail.length;
}

/** One operation of the server, by position: `bytes[start, lineEnd)` is its line; of a message also these. */
export interface Operation {
  start: number;
  lineEnd: number;
  /** Where the next one begins. */
  end: number;
  isMessage: boolean;
  subjectStart: number;
  subjectEnd: number;
  /** Equal where there is none. */
  replyStart: number;
  replyEnd: number;
  /** The payload is `bytes[bodyStart, bodyEnd)`. */
  bodyStart: number;
  bodyEnd: number;
}

export function newOperation(): Operation {
  return {
    start: 0,
    lineEnd: 0,
    end: 0,
    isMessage: false,
    subjectStart: 0,
    subjectEnd: 0,
    replyStart: 0,
    replyEnd: 0,
    bodyStart: 0,
    bodyEnd: 0,
  };
}

/** Reads the operation at `at` into `into`; false while it is incomplete. */
export function readOperation(bytes: Buffer, at: number, limit: number, into: Operation): boolean {
  let next = at;
  while (next < limit && bytes[next] !== newline) next++;
  if (next >= limit) return false;
  into.start = at;
  into.lineEnd = next - 1;
  into.end = next + 1;
  // `MSG `: no other operation of a server begins with an M.
  into.isMessage = bytes[at] === 0x4d;
  return into.isMessage ? readMessage(bytes, limit, into) : true;
}

/** `MSG subject sid [reply] size` */
function readMessage(bytes: Buffer, limit: number, into: Operation): boolean {
  into.subjectStart = into.start + 4;
  into.subjectEnd = wordEnd(bytes, into.subjectStart);
  into.replyStart = wordEnd(bytes, into.subjectEnd + 1) + 1;
  let sizeAt = into.replyStart;
  into.replyEnd = sizeAt;
  const end = wordEnd(bytes, sizeAt);
  if (end < into.lineEnd) {
    into.replyEnd = end;
    sizeAt = end + 1;
  }
  let size = 0;
  for (let i = sizeAt; i < into.lineEnd; i++) size = size * 10 + (bytes[i] as number) - 48;
  into.bodyStart = into.end;
  into.bodyEnd = into.bodyStart + size;
  into.end = into.bodyEnd + 2;
  return into.end <= limit;
}

/** The next space or the end of the line. */
function wordEnd(bytes: Buffer, at: number): number {
  let i = at;
  while (bytes[i] !== space && bytes[i] !== 13) i++;
  return i;
}
