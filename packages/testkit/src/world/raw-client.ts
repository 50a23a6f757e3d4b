import {
  type Command,
  decodeText,
  type Encoding,
  encodeFrame,
  encodeText,
  type Frame,
  FrameReader,
  jsonCodec,
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
  readonly #encoding: Encoding;
  #nextId = 1;

  /** Connects; commands may be given at once. */
  constructor(network: Network, device: DeviceId, encoding: Encoding = "messagepack") {
    this.device = device;
    this.#encoding = encoding;
    const reader = new FrameReader({ frame: ({ frame }) => this.#receive(frame), bad: () => this.close() });
    const early: (Uint8Array | string)[] = [];
    let isOpen = false;
    this.#link = network.open(device, encoding, {
      opened: () => {
        isOpen = true;
        for (const data of early) this.#link.clientWrite(data);
      },
      received: (data) => (typeof data === "string" ? this.#receive(decodeText(data)) : reader.push(data)),
      closed: () => this.#end(),
    });
    this.#write = (data) => (isOpen ? this.#link.clientWrite(data) : early.push(data));
    this.ask({
      type: "connect",
      version: protocolVersion,
      token: `${device.domain}/${device.user}`,
      device: device.device,
    });
  }

  readonly #write: (data: Uint8Array | string) => void;

  /** Resolves to the reply, or to undefined where the connection ends before it comes. */
  ask(command: Asking): Promise<Frame | undefined> {
    const id = this.#nextId++;
    this.#write(this.#encode({ ...command, id } as Command));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  #encode(command: Command): Uint8Array | string {
    if (this.#encoding === "text") return encodeText(command);
    return encodeFrame(command, this.#encoding === "json" ? jsonCodec : messagePackCodec);
  }

  close(): void {
    this.#link.clientClose();
    this.#end();
  }

  #receive(frame: Frame | UnknownFrame): void {
    this.received.push(frame);
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
  }
}
