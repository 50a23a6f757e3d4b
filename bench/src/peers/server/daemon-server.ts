import { freePorts } from "@hongyan/testkit/free-port";
import { Folder } from "../../process/folder.ts";
import type { PeerEndpoint } from "../peer-client.ts";
import type { PeerServer } from "../system/system.ts";
import { type Command, Daemon } from "./daemon.ts";

/** How to start a program that listens on `port` and keeps everything in `folder`. */
export type Prepare = (port: number, folder: Folder) => Promise<Omit<Command, "folder" | "port">>;

export interface DaemonServerOptions {
  readonly name: string;
  readonly endpoint: (port: number) => PeerEndpoint;
  /** Called once, before the first start: writes the configuration. */
  readonly prepare: Prepare;
  /** Called once, after the first start. */
  readonly furnish?: (port: number) => Promise<void>;
  /** Lets `SIGUSR2` collect garbage; only where the program knows that. */
  readonly isCollectable?: boolean;
}

/** A program in a folder and on a port of its own. */
export class DaemonServer implements PeerServer {
  readonly #options: DaemonServerOptions;
  readonly #folder: Folder;
  #daemon: Daemon | undefined;
  #port = 0;

  constructor(options: DaemonServerOptions) {
    this.#options = options;
    this.#folder = new Folder(options.name);
  }

  get endpoint(): PeerEndpoint {
    return this.#options.endpoint(this.#port);
  }

  get pid(): number {
    return this.#daemon?.pid ?? 0;
  }

  async start(): Promise<void> {
    if (this.#daemon !== undefined) return this.#daemon.start();
    const [port = 0] = await freePorts(1);
    this.#port = port;
    const command = await this.#options.prepare(port, this.#folder);
    this.#daemon = new Daemon({ ...command, port, folder: this.#folder.path });
    await this.#daemon.start();
    await this.#options.furnish?.(port);
  }

  async kill(): Promise<void> {
    await this.#daemon?.kill();
  }

  async remove(): Promise<void> {
    await this.kill();
    this.#folder.remove();
  }

  get collectGarbage(): (() => void) | undefined {
    return this.#options.isCollectable === true ? () => process.kill(this.pid, "SIGUSR2") : undefined;
  }
}
