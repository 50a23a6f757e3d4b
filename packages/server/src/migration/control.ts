/**
 * The door through which `hongyan migrate` reaches the process that has the data directory: a socket in that
 * directory, for its owner alone. The address of PostgreSQL, which comes through it, has a password in it.
 */
import { chmod, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { Journal } from "@hongyan/core";
import { errorCodes } from "../process/start-error.ts";
import type { Migration } from "./migration.ts";
import { type MigrationReply, parseRequest, requestBytesMax } from "./request.ts";

/** The longest name of a socket that Linux takes. */
const pathBytesMax = 107;
/** Who says nothing for so long is sent away. */
const silenceMsMax = 10_000;

export function controlPath(data: string): string {
  return join(data, "control");
}

export class Control {
  readonly #migration: Migration;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /**
   * The process must have the directory for itself. Where there can be no socket the server works all the same, and
   * the journal says so.
   */
  static async open(data: string, migration: Migration, journal: Journal): Promise<Control | undefined> {
    const path = controlPath(data);
    try {
      if (Buffer.byteLength(path) > pathBytesMax)
        throw new Error(`its name is longer than ${pathBytesMax} bytes`);
      // Left by one that was killed.
      await rm(path, { force: true });
      const control = new Control(migration);
      await new Promise<void>((resolve, reject) => {
        control.#server.once("error", reject).listen(path, resolve);
      });
      await chmod(path, 0o600);
      return control;
    } catch (error) {
      journal.warn("control.failed", { path, error: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  }

  private constructor(migration: Migration) {
    this.#migration = migration;
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.maxConnections = 8;
  }

  /** The migration under way is closed by its owner. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      gone.abort(new Error("whoever asked for it has gone"));
    });
    socket.setTimeout(silenceMsMax, () => socket.destroy());
    let text = "";
    const receive = (chunk: Buffer): void => {
      text += chunk.toString();
      if (text.length > requestBytesMax) socket.destroy();
      if (!text.includes("\n")) return;
      socket.off("data", receive);
      // It is still read, so that its end is noticed.
      socket.resume();
      socket.setTimeout(0);
      void this.#answer(socket, text.slice(0, text.indexOf("\n")), gone.signal);
    };
    socket.on("data", receive);
  }

  async #answer(socket: Socket, line: string, signal: AbortSignal): Promise<void> {
    const reply = (one: MigrationReply): void => {
      // Who does not read is not waited for.
      if (socket.writableLength < requestBytesMax) socket.write(`${JSON.stringify(one)}\n`);
    };
    try {
      reply({
        result: await this.#migration.run(parseRequest(line), (progress) => reply({ progress }), signal),
      });
    } catch (error) {
      reply({ error: error instanceof Error ? error.message : String(error) });
    }
    socket.end();
  }
}

/** Whether nobody listens there. */
export function isNobody(error: unknown): boolean {
  const codes = errorCodes(error);
  return codes.includes("ENOENT") || codes.includes("ECONNREFUSED") || codes.includes("ENOTDIR");
}
