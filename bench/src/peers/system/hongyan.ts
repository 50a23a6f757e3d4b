import { createGroup } from "../../process/api.ts";
import { Server } from "../../process/server.ts";
import type { PeerEndpoint } from "../peer-client.ts";
import type { Peer, PeerServer, Setup, System } from "./system.ts";

type Transport = "tcp" | "websocket";

/** Connections stay without a word, and all may come at once. */
const idleSettings = { heartbeatMs: 600_000, connectsPerSecond: 1_000_000 };

class Hongyan implements PeerServer {
  readonly #server: Server;
  readonly #transport: Transport;
  readonly #setup: Setup;
  #isPrepared = false;

  constructor(transport: Transport, setup: Setup) {
    this.#transport = transport;
    this.#setup = setup;
    this.#server = new Server(setup.isIdle ? { settings: idleSettings, collectable: true } : {});
  }

  get endpoint(): PeerEndpoint {
    const { tcpPort, port, signer: trust } = this.#server;
    const transport = this.#transport;
    return { protocol: "hongyan", transport, port: transport === "tcp" ? tcpPort : port, tcpPort, trust };
  }

  get pid(): number {
    return this.#server.pid;
  }

  async start(): Promise<void> {
    await this.#server.start();
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    for (const { name, members } of this.#setup.groups) await createGroup(this.#server, name, members);
  }

  kill(): Promise<void> {
    return this.#server.kill();
  }

  remove(): Promise<void> {
    return this.#server.remove();
  }

  get collectGarbage(): () => void {
    return () => this.#server.collectGarbage();
  }
}

function system(transport: Transport): System {
  return {
    name: `hongyan ${transport}`,
    durable: true,
    acknowledgement:
      "send.ok says that the message is on disk (fdatasync of its group commit); each receiving device acknowledges up to a position, which the server stores durably too and confirms",
    server: (setup) => new Hongyan(transport, setup),
  };
}

export function hongyan(version: string): Peer {
  return {
    name: "hongyan",
    install: async () => {},
    version: async () => version,
    systems: [system("tcp"), system("websocket")],
  };
}
