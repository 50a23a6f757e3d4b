import {
  type CloseName,
  type Command,
  closeCodes,
  errors,
  type Frame,
  isCommand,
  ProtocolError,
  type Push,
  type Reply,
  SharedFrame,
  type UnknownFrame,
} from "@hongyan/protocol";
import { claim } from "./claim.ts";
import { connect } from "./handlers/connect.ts";
import { handlers } from "./handlers/handlers.ts";
import type { NodeContext } from "./node-context.ts";
import type { Connection, Inbound } from "./ports.ts";
import type { Session } from "./session.ts";

/** Where a connection stands. Each state carries exactly what it needs. */
type State =
  | { readonly name: "new" }
  | { readonly name: "verifying"; readonly waiting: Command[] }
  | { readonly name: "open" }
  /** The node closes: what was taken is still answered, nothing more is taken. */
  | { readonly name: "leaving" }
  | { readonly name: "closed" };

const fresh: State = { name: "new" };
const open: State = { name: "open" };
const leaving: State = { name: "leaving" };
const closed: State = { name: "closed" };

/** Begins a page, whose promise never rejects, when there is room for it. */
export interface PageMakers {
  add(page: () => Promise<void>): void;
}

/** Commands that may wait for the token to be verified, and answers that may be under way at once. */
const waitingMax = 256;
const pendingMax = 1024;

/** The core's end of one connection: takes frames in, finds the handler, writes answers out. */
export class Peer implements Inbound {
  readonly node: NodeContext;
  readonly connection: Connection;
  session: Session | undefined;
  #state: State = fresh;
  /** When the last frame came. */
  heardAtMs: number;
  /** Commands that wait for the store. */
  pending = 0;
  /** Pages that wait for their turn, and whether one is being made or has no room to leave. */
  #pages: { readonly page: () => Promise<void>; readonly makers: PageMakers }[] | undefined;
  #pageUnderWay = false;
  /** Place in the node's list of peers, kept by it. */
  place = -1;
  /** Which `connect` of this node was this one's: tokens are not verified in the order in which they came. */
  turn = 0;

  constructor(node: NodeContext, connection: Connection) {
    this.node = node;
    this.connection = connection;
    this.heardAtMs = node.clock.now();
  }

  get isConnected(): boolean {
    return this.#state.name === "open";
  }

  get isClosed(): boolean {
    return this.#state.name === "closed";
  }

  /** Whether it has asked for a page that is not answered yet. */
  get waitsForPage(): boolean {
    return this.#pages !== undefined;
  }

  receive(frame: Frame | UnknownFrame): void {
    // Not answered while leaving: the connection is closed in a moment, and the client sends again.
    if (this.#state.name === "closed" || this.#state.name === "leaving") return;
    this.heardAtMs = this.node.clock.now();
    if (frame.type === "unknown") return this.#refuseUnknown(frame);
    if (!isCommand(frame)) return; // Replies and pushes mean nothing here: ignored by rule.
    if (frame.id === 0)
      return this.reject(0, new ProtocolError("bad_request", "a command needs an id from 1 to 4294967295"));
    switch (this.#state.name) {
      case "open":
        return this.#handle(frame);
      case "verifying":
        if (this.#state.waiting.length >= waitingMax) return this.close("bad_frame");
        // The body belongs to the transport until the end of the tick; what waits needs memory of its own.
        this.#state.waiting.push(
          frame.body === undefined ? frame : { ...frame, body: new Uint8Array(frame.body) },
        );
        return;
      case "new":
        if (frame.type !== "connect") {
          this.reject(frame.id, new ProtocolError("unauthorized", "the first command must be connect"));
          return this.close("unauthorized");
        }
        this.#state = { name: "verifying", waiting: [] };
        connect(this, frame);
    }
  }

  /** The token was good: answers the commands that came meanwhile. */
  opened(session: Session): void {
    if (this.#state.name !== "verifying") return;
    const { waiting } = this.#state;
    this.session = session;
    this.#state = open;
    for (const command of waiting) if (this.isConnected) this.#handle(command);
  }

  reject(id: number, error: ProtocolError): void {
    this.node.statistics.errors++;
    this.reply({
      type: "error",
      id,
      code: errors[error.code].code,
      name: error.code,
      message: error.message.slice(0, 512),
      retryAfterMs: error.retryAfterMs,
    });
  }

  reply(frame: Reply): void {
    this.write(new SharedFrame(frame));
  }

  push(frame: Push): void {
    this.write(new SharedFrame(frame));
  }

  write(frame: SharedFrame): void {
    if (this.#state.name === "closed") return;
    this.connection.write(frame);
    const { bufferedBytes } = this.connection;
    const { settings, outboxes } = this.node;
    // Even replies are bounded: a peer that asks and never reads must not make memory grow (G8).
    if (bufferedBytes > settings.outboxBytesClose) this.close("too_slow");
    else if (bufferedBytes > outboxes.noticedBytes) outboxes.add(this);
  }

  close(code: CloseName, retryAfterMs?: number): void {
    if (this.#state.name === "closed") return;
    this.node.journal.info("connection closed", {
      code: closeCodes[code].code,
      reason: code,
      transport: this.connection.transport,
    });
    this.connection.close(code, retryAfterMs);
    this.closed();
  }

  /** Takes nothing more, so that what was taken comes to an end; `close` follows. */
  leave(): void {
    if (this.#state.name === "open") this.#state = leaving;
    else this.close("going_away", 1000);
  }

  drained(): void {
    this.#nextPage();
    const { session } = this;
    if (session?.peer === this && session.behind && session.toldBehindMs === undefined)
      this.node.delivery.tellBehind(session);
  }

  closed(): void {
    if (this.#state.name === "closed") return;
    this.#state = closed;
    this.node.forget(this);
    if (this.session?.peer === this) this.node.sessions.away(this.session);
  }

  /**
   * Answers a command when `work` is done: its value is the reply, its rejection an `error`. For commands that
   * wait for the store; `send` and `ack` have tickets instead.
   */
  answer({ id }: { readonly id: number }, work: Promise<Reply>): void {
    this.pending++;
    work.then(
      (reply) => {
        this.pending--;
        this.reply(reply);
      },
      (error: unknown) => {
        this.pending--;
        this.reject(id, this.node.asRefusal(error));
      },
    );
  }

  /**
   * Like `answer`, for commands whose answers are large: one at a time, and the next one only when the peer has
   * taken most of the last. So a pipeline of them costs its sender time, and nobody memory (G8). `makers`: who has to
   * have room for the work; by default those who read from the store.
   */
  answerPage(command: Command, work: () => Promise<Reply>, makers: PageMakers = this.node.pages): void {
    this.pending++;
    this.#pages ??= [];
    const page = async (): Promise<void> => {
      try {
        // Whoever left while waiting is answered no more.
        if (!this.isClosed) this.reply(await work());
      } catch (error) {
        this.reject(command.id, this.node.asRefusal(error));
      }
      this.pending--;
      this.#pageUnderWay = false;
      this.#nextPage();
    };
    this.#pages.push({ page, makers });
    this.#nextPage();
  }

  #nextPage(): void {
    if (this.#pageUnderWay || this.#pages === undefined) return;
    if (this.isClosed) {
      this.#pages = undefined;
      return;
    }
    // `drained` comes when there is room again.
    if (this.connection.bufferedBytes > this.node.settings.outboxBytesMax) return;
    const next = this.#pages.shift();
    if (next === undefined) {
      this.#pages = undefined;
      return;
    }
    this.#pageUnderWay = true;
    next.makers.add(next.page);
  }

  #handle(command: Command): void {
    if (this.pending >= pendingMax)
      return this.reject(command.id, new ProtocolError("overloaded", "too many unanswered commands", 100));
    const session = this.session as Session;
    const isAlone = this.node.repair === undefined;
    if (!isAlone && typeof session.claim !== "number" && command.type !== "connect")
      claim(this.node, session);
    handlers[command.type](this, session, command as never);
  }

  #refuseUnknown(frame: UnknownFrame): void {
    // Pushes and replies of a newer peer (from 64 on) are ignored, commands are answered.
    if (typeof frame.wireType === "number" && frame.wireType >= 64) return;
    this.reject(
      frame.id,
      new ProtocolError("unknown_command", `unknown command ${String(frame.wireType).slice(0, 64)}`),
    );
  }
}
