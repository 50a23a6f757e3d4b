import {
  type Command,
  encodeFrame,
  type Frame,
  FrameReader,
  messagePackCodec,
  protocolVersion,
  type UnknownFrame,
} from "@hongyan/protocol";
import type { DeviceId } from "../checkers/observations.ts";
import type { Link } from "../network/link.ts";
import type { Network } from "../network/network.ts";

type Asking = Command extends infer C ? (C extends Command ? Omit<C, "id"> : never) : never;

/** A client without an engine: says what it is told to, once, and collects what comes back. */
export class RawClient {
  readonly device: DeviceId;
  /** Everything received, in order. */
  readonly received: (Frame | UnknownFrame)[] = [];
  readonly #link: Link;
  readonly #waiting = new Map<number, (frame: Frame | undefined) => void>();
  #onFrame: ((frame: Frame | UnknownFrame) => void) | undefined;
  #nextId = 1;

  /** Connects; commands may be given at once. */
  constructor(network: Network, device: DeviceId, onFrame?: (frame: Frame | UnknownFrame) => void) {
    this.device = device;
    this.#onFrame = onFrame;
    const reader = new FrameReader({ frame: ({ frame }) => this.#receive(frame), bad: () => this.close() });
    const early: Uint8Array[] = [];
    let isOpen = false;
    this.#link = network.open(device, "messagepack", {
      opened: () => {
        isOpen = true;
        for (const bytes of early) this.#link.clientWrite(bytes);
      },
      received: (data) => reader.push(data as Uint8Array),
      closed: () => this.#end(),
    });
    this.#write = (bytes) => (isOpen ? this.#link.clientWrite(bytes) : early.push(bytes));
    this.ask({
      type: "connect",
      version: protocolVersion,
      token: `${device.domain}/${device.user}`,
      device: device.device,
    });
  }

  readonly #write: (bytes: Uint8Array) => void;

  /** Resolves to the reply, or to undefined where the connection ends before it comes. */
  ask(command: Asking): Promise<Frame | undefined> {
    const id = this.#nextId++;
    this.#write(encodeFrame({ ...command, id } as Command, messagePackCodec));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  close(): void {
    this.#link.clientClose();
    this.#end();
  }

  #receive(frame: Frame | UnknownFrame): void {
    this.received.push(frame);
    this.#onFrame?.(frame);
    const isItem =
      frame.type === "message" ||
      frame.type === "conversation" ||
      frame.type === "receipt" ||
      frame.type === "member" ||
      frame.type === "user";
    if (isItem || frame.type === "unknown" || frame.id === 0) return;
    this.#waiting.get(frame.id)?.(frame);
    this.#waiting.delete(frame.id);
  }

  #end(): void {
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
    this.#onFrame = undefined;
  }
}
