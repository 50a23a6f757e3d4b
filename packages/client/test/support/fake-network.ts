import { type Command, encodeFrame, type Frame, FrameReader, messagePackCodec } from "@hongyan/protocol";
import type { Transport, TransportConnection, TransportEvents } from "../../src/ports.ts";
import type { FakeServer, Peer } from "./fake-server.ts";

/** What happens to a frame: how many times it arrives. */
export type Rule = (frame: Frame, direction: "up" | "down") => number | "hold";

/** Carries frames between a client and the fake server, as bytes, and loses, repeats or holds those that it is told to. */
export class FakeNetwork implements Transport {
  readonly name: string;
  readonly mode = "binary";
  readonly #server: FakeServer;
  rule: Rule = () => 1;
  /** Attempts to open are refused. */
  isDown = false;
  /** Connections look alive and carry nothing. */
  isHalfOpen = false;
  opened = 0;
  readonly up: Command[] = [];
  readonly down: Frame[] = [];
  #held: (() => void)[] = [];
  #lines = new Set<{ cut(code?: number): void }>();

  constructor(server: FakeServer, name = "fake") {
    this.#server = server;
    this.name = name;
  }

  /** Loses the next frame of that type. */
  dropNext(type: Frame["type"], times = 1): void {
    let left = times;
    const before = this.rule;
    this.rule = (frame, direction) => {
      if (frame.type !== type || left === 0) return before(frame, direction);
      left--;
      return 0;
    };
  }

  /** Everything that was held arrives, in reverse order. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const deliver of held.reverse()) deliver();
  }

  /** Ends all connections. */
  cut(code?: number): void {
    for (const line of this.#lines) line.cut(code);
  }

  open(events: TransportEvents): TransportConnection {
    let isOver = false;
    const carry = (frame: Frame, direction: "up" | "down", deliver: () => void): void => {
      if (this.isHalfOpen) return;
      const times = this.rule(frame, direction);
      if (times === "hold") return void this.#held.push(deliver);
      for (let i = 0; i < times; i++) deliver();
    };
    const peer: Peer = {
      user: "",
      device: "",
      session: "",
      receipts: 0,
      isConnected: false,
      write: (frame) =>
        carry(frame, "down", () => {
          const bytes = encodeFrame(frame, messagePackCodec);
          queueMicrotask(() => {
            if (isOver) return;
            this.down.push(frame);
            events.received(bytes);
          });
        }),
    };
    const reader = new FrameReader({
      frame: ({ frame }) => {
        const command = frame as Command;
        this.up.push(command);
        carry(command, "up", () => this.#server.receive(peer, command));
      },
      bad: (error) => {
        throw error;
      },
    });
    const end = (): void => {
      isOver = true;
      this.#server.peers.delete(peer);
      this.#lines.delete(line);
    };
    const line = {
      cut: (code?: number) => {
        if (isOver) return;
        end();
        events.closed({ code, reason: "cut" });
      },
    };
    this.#lines.add(line);
    queueMicrotask(() => {
      if (isOver) return;
      if (this.isDown) return line.cut();
      this.opened++;
      events.opened();
    });
    return {
      send: (frames) => {
        if (isOver) return;
        for (const frame of frames) if (typeof frame !== "string") reader.push(frame);
      },
      close: end,
    };
  }
}
