import assert from "node:assert/strict";
import type { Command, Frame, FrameNamed, FrameType } from "@hongyan/protocol";
import type { Address, Door, Wire } from "./doors.ts";

type Unnumbered<C extends Command> = C extends Command ? Omit<C, "id"> : never;

const patienceMs = 20_000;

/** One device at one door. Keeps every frame that came, and acknowledges only what the test tells it to. */
export class WireClient {
  readonly frames: Frame[] = [];
  readonly user: string;
  isClosed = false;
  #wire: Wire | undefined;
  #nextId = 1;
  #waiting: (() => void)[] = [];

  private constructor(user: string) {
    this.user = user;
  }

  /** Opens the door and connects; `token` as the server issues it. */
  static async connect(
    door: Door,
    address: Address,
    about: { user: string; token: string; device?: string; resume?: string },
  ): Promise<WireClient> {
    const client = await WireClient.open(door, address, about.user);
    const { token, device = "phone", resume } = about;
    await client.ask({ type: "connect", version: 1, token, device, resume }, "connect.ok");
    return client;
  }

  /** Opens the door without saying who it is. */
  static async open(door: Door, address: Address, user = ""): Promise<WireClient> {
    const client = new WireClient(user);
    client.#wire = await door.open(address, {
      frame: (frame) => {
        if (frame.type !== "unknown") client.frames.push(frame);
        client.#wake();
      },
      closed: () => {
        client.isClosed = true;
        client.#wake();
      },
    });
    return client;
  }

  post(...commands: readonly Unnumbered<Command>[]): number[] {
    const numbered = commands.map((command) => ({ ...command, id: this.#nextId++ }) as Command);
    this.#wire?.send(numbered);
    return numbered.map(({ id }) => id);
  }

  async ask<T extends FrameType>(command: Unnumbered<Command>, expected: T): Promise<FrameNamed<T>> {
    const [id] = this.post(command);
    return (await this.until(
      (frame) => frame.id === id && frame.type === expected,
      `${command.type} → ${expected}`,
    )) as FrameNamed<T>;
  }

  /** The first frame that matches, now or later. Fails when the line closes or patience ends. */
  async until(matches: (frame: Frame) => boolean, what: string): Promise<Frame> {
    const deadline = Date.now() + patienceMs;
    for (let seen = 0; ; ) {
      for (; seen < this.frames.length; seen++) {
        const frame = this.frames[seen] as Frame;
        if (matches(frame)) return frame;
      }
      const closed = this.isClosed ? ", and the connection is closed" : "";
      assert.ok(
        !this.isClosed && Date.now() < deadline,
        `${this.user} waited in vain for ${what}${closed}; got ${this.frames
          .slice(-3)
          .map((f) => JSON.stringify({ ...f, body: undefined }))
          .join()}`,
      );
      await this.#next(deadline);
    }
  }

  async untilClosed(): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!this.isClosed) {
      assert.ok(Date.now() < deadline, "the connection was not closed");
      await this.#next(deadline);
    }
  }

  of<T extends FrameType>(type: T): FrameNamed<T>[] {
    return this.frames.filter((frame): frame is FrameNamed<T> => frame.type === type);
  }

  /**
   * Texts of the messages in `conversation` that an application would be shown, without system entries: on the wire
   * a message may come again, the client's position makes it once. Fails at a hole.
   */
  shown(conversation: string): string[] {
    const texts: string[] = [];
    let position: number | undefined;
    for (const message of this.of("message")) {
      if (message.conversation !== conversation || message.seq <= (position ?? 0)) continue;
      assert.ok(position === undefined || message.seq === position + 1, `G3 a hole after ${position}`);
      position = message.seq;
      if (message.messageType?.startsWith("hongyan.") === true) continue;
      texts.push(Buffer.from(message.body ?? []).toString());
    }
    return texts;
  }

  send(
    conversation: string,
    text: string,
    clientMessageId: string,
    after?: string,
  ): Promise<FrameNamed<"send.ok">> {
    return this.ask(
      { type: "send", conversation, clientMessageId, after, body: Buffer.from(text) },
      "send.ok",
    );
  }

  /** Reads the whole backlog, page by page; the request for the next page acknowledges the last. */
  async sync(limit = 500): Promise<FrameNamed<"message">[]> {
    const all: FrameNamed<"message">[] = [];
    let positions: (readonly [string, number])[] = [];
    for (;;) {
      const { id, count } = await this.ask({ type: "sync", positions, limit, bytes: 1024 * 1024 }, "sync.ok");
      const page = this.of("message").filter((message) => message.id === id);
      assert.equal(page.length, count);
      if (count === 0) return all;
      all.push(...page);
      positions = [...new Map(page.map(({ conversation, seq }) => [conversation, seq] as const))];
    }
  }

  cut(): void {
    this.#wire?.cut();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #next(deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, deadline - Date.now()));
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
