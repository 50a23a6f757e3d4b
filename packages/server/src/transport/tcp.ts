import { createServer, type Server, type Socket } from "node:net";
import type { Acceptor, Journal } from "@hongyan/core";
import { BadFrame, FrameReader, ProtocolError } from "@hongyan/protocol";
import { ByteBudget } from "./byte-budget.ts";
import { FlushLoop } from "./flush-loop.ts";
import { adviceTo, type Foreigner, ForeignerLog, foreignerOf, httpRefusal } from "./foreigner.ts";
import { type ConnectionContext, FrameConnection, type Line } from "./frame-connection.ts";
import { Linger } from "./linger.ts";
import { OutgoingQueue, type QueueContext, type QueueOwner } from "./outgoing-queue.ts";
import { isFrame, type Packing } from "./packing.ts";
import { Port } from "./port.ts";
import { own, type SocketOwner } from "./socket-owner.ts";
import { noTraffic, type Traffic } from "./traffic.ts";

export interface TcpOptions {
  readonly acceptor: Acceptor;
  readonly journal: Journal;
  readonly port: number;
  /** Default: loopback. */
  readonly host?: string | undefined;
  /** What all connections together may hold of frames that have not arrived completely. */
  readonly unfinishedBytesMax?: number | undefined;
  /** A connection that had more than this waiting reports when it is empty again. */
  readonly drainedAboveBytes?: number | undefined;
  /** More connections are dropped at once. */
  readonly connectionsMax?: number | undefined;
  /** How long a socket may stay after the good-bye. */
  readonly lingerMs?: number | undefined;
}

/** What all lines of a listener share. */
interface LineContext extends QueueContext, ConnectionContext {
  readonly linger: Linger;
  readonly budget: ByteBudget;
  readonly foreigners: ForeignerLog;
}

/** Frames one after another, nothing around them. */
const tcpPacking: Packing = {
  single(frame, encoding) {
    return frame.bytes(encoding);
  },
  several(items, encoding) {
    return items.map((item) => (isFrame(item) ? item.bytes(encoding) : item));
  },
};

/** A TCP port that speaks binary frames. */
export class TcpListener {
  readonly traffic: Traffic = noTraffic();
  readonly #server: Server;
  readonly #port: Port;

  constructor(options: TcpOptions) {
    const context: LineContext = {
      acceptor: options.acceptor,
      journal: options.journal,
      traffic: this.traffic,
      loop: new FlushLoop(),
      packing: tcpPacking,
      drainedAboveBytes: options.drainedAboveBytes ?? 256 * 1024,
      budget: new ByteBudget(options.unfinishedBytesMax ?? 256 * 1024 * 1024),
      linger: new Linger(options.lingerMs),
      foreigners: new ForeignerLog(options.journal),
    };
    const { connectionsMax = Number.POSITIVE_INFINITY } = options;
    this.#server = createServer({ noDelay: true }, (socket) => {
      if (this.traffic.connections < connectionsMax) return void new TcpLine(context, socket);
      this.traffic.refused++;
      socket.destroy();
    });
    this.#port = new Port(this.#server);
  }

  get port(): number {
    return this.#port.number;
  }

  /** Rejects where the port cannot be had. */
  async listen(port: number, host: string): Promise<void> {
    await this.#port.listen(port, host);
    // Out of file descriptors, say: such a connection is lost, the others stay.
    this.#server.on("error", () => this.traffic.refused++);
  }

  /** Accepts no more; resolves when the last connection is gone, which is for the core to end. */
  close(): Promise<void> {
    return this.#port.close();
  }
}

export async function listenTcp(options: TcpOptions): Promise<TcpListener> {
  const listener = new TcpListener(options);
  await listener.listen(options.port, options.host ?? "127.0.0.1");
  return listener;
}

/** One TCP connection. */
class TcpLine implements Line, QueueOwner, SocketOwner {
  readonly queue: OutgoingQueue;
  readonly #context: LineContext;
  readonly #socket: Socket;
  readonly #connection: FrameConnection;
  readonly #reader: FrameReader;
  /** What the reader holds, taken from the budget. */
  #heldBytes = 0;
  /** `fresh`: nothing was heard. */
  #state: "fresh" | "open" | "ended" = "fresh";

  constructor(context: LineContext, socket: Socket) {
    this.#context = context;
    this.#socket = socket;
    context.traffic.accepted++;
    context.traffic.connections++;
    own(socket, this);
    this.queue = new OutgoingQueue(context, socket, this, "json");
    this.#connection = new FrameConnection(context, this, "tcp");
    this.#reader = new FrameReader(this.#connection);
  }

  finish(): void {
    this.#state = "ended";
    this.queue.finish();
    this.#context.linger.add(this.#socket);
  }

  onData(chunk: Uint8Array): void {
    this.#context.traffic.bytesIn += chunk.length;
    if (this.#state === "ended") return;
    if (this.#state === "fresh") {
      this.#state = "open";
      const foreigner = foreignerOf(chunk);
      if (foreigner !== undefined) return this.#refuse(foreigner);
    }
    try {
      this.#reader.push(chunk);
    } catch (error) {
      return this.#connection.fault(error);
    }
    if (this.#reader.heldBytes !== this.#heldBytes) this.#account(this.#reader.heldBytes);
  }

  onSocketDrain(): void {
    this.queue.onSocketDrain();
  }

  onDrained(): void {
    this.#connection.drained();
  }

  onEnd(): void {
    this.finish();
  }

  onSocketClose(): void {
    this.#state = "ended";
    this.queue.discard();
    this.#context.budget.give(this.#heldBytes);
    this.#context.linger.remove(this.#socket);
    this.#context.traffic.connections--;
    this.#connection.closed();
  }

  #refuse(foreigner: Foreigner): void {
    this.#context.foreigners.note(foreigner, this.#socket.remoteAddress);
    if (foreigner !== "http")
      return this.#connection.bad(new BadFrame(new ProtocolError("bad_frame", adviceTo[foreigner]), 0));
    this.queue.write(httpRefusal());
    this.finish();
  }

  #account(heldBytes: number): void {
    const { budget } = this.#context;
    budget.give(this.#heldBytes);
    this.#heldBytes = 0;
    if (budget.take(heldBytes)) this.#heldBytes = heldBytes;
    else this.#connection.close("overloaded", 5000);
  }
}
