import { decodeFrame, type FrameNamed, protocolVersion } from "@hongyan/protocol";
import { mintToken, type Signer } from "../process/tokens.ts";
import { type Connection, openConnection } from "../wire/connection.ts";
import { describe, encode, frameCode, idOf, typeOf } from "../wire/frame-bytes.ts";
import type { Endpoint, Receiver } from "../wire/receiver.ts";
import type { Run } from "./run.ts";

/** Who a connection of the generator signs in as. */
export interface Login {
  readonly user: string;
  readonly device: string;
}

/** Signs the logins in; a bare probe trusts everybody. */
export type Trust = Signer | "anybody";

/** Ids of the generator's own commands: far above those of numbered messages. */
const connectId = 0xffff_0000;
const syncId = 0xffff_0001;
const pingId = 0xffff_0002;

/**
 * A signed-in connection that has read its backlog. Subclasses take the frames; a refusal or a lost connection fails
 * the whole run, because the figures of a run that lost something mean nothing.
 */
export abstract class Client implements Receiver {
  readonly connection: Connection;
  readonly #login: Login;
  readonly #trust: Trust;
  readonly #run: Run;

  constructor(endpoint: Endpoint, login: Login, trust: Trust, run: Run) {
    this.#login = login;
    this.#trust = trust;
    this.#run = run;
    this.connection = openConnection(endpoint, this);
  }

  get device(): string {
    return this.#login.device;
  }

  opened(): void {
    const { user, device } = this.#login;
    const token = this.#trust === "anybody" ? "none" : mintToken(this.#trust, user);
    this.connection.write(
      encode({ type: "connect", id: connectId, version: protocolVersion, token, device }),
    );
  }

  frame(bytes: Buffer, start: number, end: number): void {
    switch (typeOf(bytes, start)) {
      case frameCode.connectOk:
        this.connected();
        return this.sync();
      case frameCode.syncOk: {
        if (idOf(bytes, start) !== syncId) return this.take(bytes, start, end);
        const reply = decodeFrame(bytes, start, end).frame as FrameNamed<"sync.ok">;
        return reply.more ? this.refused("there is a backlog of more than one page") : this.ready();
      }
      case frameCode.pingOk:
        return this.answered();
      case frameCode.receipt:
      case frameCode.conversation:
        return;
      case frameCode.error:
      case frameCode.close:
        return this.refused(describe(bytes, start, end));
      default:
        this.take(bytes, start, end);
    }
  }

  /** Reads the backlog: for clients of a generator one page, of entries of the server itself. */
  protected sync(): void {
    this.connection.write(encode({ type: "sync", id: syncId }));
  }

  ping(): void {
    this.connection.write(encode({ type: "ping", id: pingId }));
  }

  closed(reason: string): void {
    this.refused(`connection lost: ${reason}`);
  }

  protected refused(reason: string): void {
    this.#run.fail(`${this.device}: ${reason}`);
  }

  protected connected(): void {}
  /** A ping was. */
  protected answered(): void {}
  /** Signed in, and nothing is left to be pulled: from here on messages are pushed. */
  protected abstract ready(): void;
  protected abstract take(bytes: Buffer, start: number, end: number): void;
}
