import type { Acceptor, Connection, Inbound, Journal } from "@hongyan/core";
import {
  errors,
  type Frame,
  type ProtocolError,
  type Reply,
  SharedFrame,
  type UnknownFrame,
} from "@hongyan/protocol";

/** What the core would see of one connection. */
export class Seen implements Inbound {
  readonly connection: Connection;
  readonly frames: (Frame | UnknownFrame)[] = [];
  readonly rejected: { id: number; error: ProtocolError }[] = [];
  drains = 0;
  closes = 0;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Answers `ping` with `ping.ok` and `send` with a `message` that has the same body. */
  receive(frame: Frame | UnknownFrame): void {
    // The body may share memory that is reused: whoever keeps it copies it.
    this.frames.push(
      "body" in frame && frame.body !== undefined ? { ...frame, body: frame.body.slice() } : frame,
    );
    if (frame.type === "ping") this.reply({ type: "ping.ok", id: frame.id, time: 1, receipts: 0 });
    if (frame.type === "send")
      this.push(frame.conversation, frame.body?.slice() ?? new Uint8Array(0), frame.id);
    if (frame.type === "disconnect") this.connection.close("disconnected");
    if (frame.type === "list" && frame.limit === 666) throw new Error("a fault of the core");
  }

  reject(id: number, error: ProtocolError): void {
    this.rejected.push({ id, error });
    this.reply({
      type: "error",
      id,
      code: errors[error.code].code,
      name: error.code,
      message: error.message,
    });
  }

  drained(): void {
    this.drains++;
  }

  closed(): void {
    this.closes++;
  }

  reply(frame: Reply): void {
    this.connection.write(new SharedFrame(frame));
  }

  push(conversation: string, body: Uint8Array, id = 0): void {
    this.connection.write(messageFrame(conversation, body, id));
  }
}

export function messageFrame(conversation: string, body: Uint8Array, id = 0): SharedFrame {
  return new SharedFrame({
    type: "message",
    id,
    conversation,
    seq: 1,
    from: "alice",
    time: 1,
    clientMessageId: "p:1",
    body,
  });
}

/** Stands in for the core: answers a few commands and remembers everything. */
export class EchoAcceptor implements Acceptor {
  readonly seen: Seen[] = [];

  accept(connection: Connection): Inbound {
    const seen = new Seen(connection);
    this.seen.push(seen);
    return seen;
  }

  get last(): Seen {
    const last = this.seen.at(-1);
    if (last === undefined) throw new Error("nobody has connected");
    return last;
  }
}

/** Remembers what was written to the journal. */
export class TestJournal implements Journal {
  readonly warnings: string[] = [];

  info(): void {}

  warn(event: string): void {
    this.warnings.push(event);
  }
}
