/** Many senders write to one user who is away; then the user comes and reads everything. */
import { decodeFrame, directConversationId, type FrameNamed } from "@hongyan/protocol";
import { encode, frameCode, idOf, SendWriter, seqOfMessage, stringEnd, typeOf } from "../wire/frame-bytes.ts";
import type { Transport } from "../wire/receiver.ts";
import { Client, type Trust } from "./client.ts";
import { type Nodes, portOf } from "./nodes.ts";
import { Run } from "./run.ts";

export interface FillInput extends Nodes {
  readonly trust: Trust;
  /** Sender i is `<prefix>s<i>`, the reader `<prefix>r`. */
  readonly prefix: string;
  readonly senders: number;
  readonly messagesEach: number;
  readonly bodyBytes: number;
}

export interface BacklogInput extends FillInput {
  readonly transport: Transport;
  readonly device: string;
}

class Filler extends Client {
  readonly #writer: SendWriter;
  readonly #count: number;
  storedCount = 0;

  constructor(input: FillInput, index: number, run: Run) {
    const user = `${input.prefix}s${index}`;
    super({ transport: "tcp", port: portOf(input, index) }, { user, device: "d" }, input.trust, run);
    this.#count = input.messagesEach;
    this.#writer = new SendWriter(directConversationId(user, `${input.prefix}r`), "b", input.bodyBytes);
  }

  protected override ready(): void {
    for (let i = 0; i < this.#count; i++) this.#writer.write(this.connection, 0);
  }

  protected override take(bytes: Buffer, start: number, _end: number): void {
    if (typeOf(bytes, start) === frameCode.sendOk) this.storedCount++;
  }
}

export async function fill(input: FillInput): Promise<void> {
  const run = new Run();
  const fillers = Array.from({ length: input.senders }, (_, index) => new Filler(input, index, run));
  await run.until("filling", () => fillers.every(({ storedCount }) => storedCount === input.messagesEach));
  run.end();
  for (const filler of fillers) filler.connection.close();
}

const pageId = 7;

/** Reads page after page; the request for the next one acknowledges the last. */
class BacklogReader extends Client {
  /** Highest seq by conversation, as the bytes of its name. */
  readonly #positions = new Map<string, number>();
  #page = new Map<string, number>();
  /** The conversation of the last message: most messages of a page are of the same as the one before. */
  #conversation = "";
  receivedCount = 0;
  pages = 0;
  isDone = false;
  onDone: () => void = () => {};

  protected override sync(): void {
    const positions = [...this.#page];
    this.#page = new Map();
    this.connection.write(encode({ type: "sync", id: pageId, positions, limit: 1000, bytes: 1 << 20 }));
  }

  protected override ready(): void {}

  protected override take(bytes: Buffer, start: number, end: number): void {
    if (typeOf(bytes, start) === frameCode.message) return this.#message(bytes, start);
    if (typeOf(bytes, start) !== frameCode.syncOk || idOf(bytes, start) !== pageId) return;
    const reply = decodeFrame(bytes, start, end).frame as FrameNamed<"sync.ok">;
    this.pages++;
    if (reply.count > 0) return this.sync();
    this.isDone = true;
    this.onDone();
  }

  #message(bytes: Buffer, start: number): void {
    const nameEnd = stringEnd(bytes, start + 13);
    const nameStart = start + ((bytes[start + 13] as number) === 0xd9 ? 15 : 14);
    const name = this.#isSame(bytes, nameStart, nameEnd)
      ? this.#conversation
      : bytes.toString("latin1", nameStart, nameEnd);
    this.#conversation = name;
    const seq = seqOfMessage(bytes, start);
    const before = this.#positions.get(name) ?? 0;
    if (seq !== before + 1) return this.refused(`${name} went from ${before} to ${seq}`);
    this.#positions.set(name, seq);
    this.#page.set(name, seq);
    this.receivedCount++;
  }

  #isSame(bytes: Buffer, start: number, end: number): boolean {
    const last = this.#conversation;
    if (end - start !== last.length) return false;
    for (let i = 0; i < last.length; i++) if (bytes[start + i] !== last.charCodeAt(i)) return false;
    return true;
  }
}

/** Milliseconds from the first packet of the connection until everything is acknowledged. */
export async function backlog(input: BacklogInput): Promise<{ ms: number; pages: number }> {
  const run = new Run();
  const startMs = performance.now();
  const { transport, port, trust, prefix, device } = input;
  const reader = new BacklogReader({ transport, port }, { user: `${prefix}r`, device }, trust, run);
  let ms = 0;
  reader.onDone = () => {
    ms = performance.now() - startMs;
  };
  await run.until("reading the backlog", () => reader.isDone);
  run.end();
  reader.connection.close();
  const expected = input.senders * input.messagesEach;
  if (reader.receivedCount !== expected)
    throw new Error(`${reader.receivedCount} of ${expected} messages came`);
  return { ms, pages: reader.pages };
}
