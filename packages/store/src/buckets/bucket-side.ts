import { randomUUID } from "node:crypto";
import type { Client, ClientBase } from "pg";
import type { Bucket } from "../postgres/bucket.ts";
import { StoreError } from "../store-error.ts";
import { bucketName } from "./bucket-ids.ts";
import { closePartitions, deleteLogs, emptyPartitions, openPartitions } from "./bucket-rows.ts";
import { endNotes, hasNotes, noteChanges } from "./changed-rows.ts";
import { type Holding, place, placementOf, refuseHeld, take } from "./holding.ts";
import { dropMark, type MoveMark, makeMark, markOf, refuseOtherMover, takeOver } from "./move-mark.ts";
import type { ServerConnection } from "./server-connection.ts";

export interface SideState {
  readonly isHeld: boolean;
  readonly isFrozen: boolean;
  readonly mark: MoveMark | undefined;
}

/** What a move does to one of its two servers. Each step is a transaction, and may be asked for again. */
export class BucketSide {
  readonly server: ServerConnection;
  readonly #bucket: Bucket;
  readonly #mover: string;

  constructor(server: ServerConnection, bucket: Bucket, mover: string) {
    this.server = server;
    this.#bucket = bucket;
    this.#mover = mover;
  }

  state(): Promise<SideState> {
    return this.server.transaction((client) => this.#stateOf(client));
  }

  /** The state; what an earlier mover, that may still run, does to this server takes no effect any more. */
  takeOver(): Promise<SideState> {
    return this.server.transaction(async (client) => {
      const state = await this.#stateOf(client);
      if (state.mark !== undefined) await takeOver(client, this.#bucket, this.#mover);
      return state;
    });
  }

  /** The source notes what changes from now on. Answers the id of the move. */
  begin(): Promise<string> {
    return this.server.locking(`watch bucket ${bucketName(this.#bucket)}`, async (client) => {
      const mark = await markOf(client, this.#bucket);
      if (mark !== undefined) return mark.move;
      const move = randomUUID();
      await noteChanges(client, this.#bucket);
      await makeMark(client, this.#bucket, move, this.#mover);
      return move;
    });
  }

  /** The target takes rows of the move; what it has of another one goes. Answers whether it has them all already. */
  async receive(move: string): Promise<boolean> {
    const { mark } = await this.state();
    if (mark?.move === move) return mark.copied;
    await this.clean();
    await this.server.locking(`open bucket ${bucketName(this.#bucket)}`, async (client) => {
      await refuseHeld(client, this.#bucket, this.server);
      await openPartitions(client, this.#bucket);
      await makeMark(client, this.#bucket, move, this.#mover);
    });
    return false;
  }

  /** A transaction of this mover's; no other one gets in between. */
  work<T>(work: (client: Client) => Promise<T>, isolation?: "REPEATABLE READ"): Promise<T> {
    return this.server.transaction(async (client) => {
      await refuseOtherMover(client, this.#bucket, this.#mover);
      return work(client);
    }, isolation);
  }

  /** Writes to the bucket wait. When it resolves, none is under way. Answers from when on. */
  async freeze(): Promise<number> {
    const purpose = `freeze bucket ${bucketName(this.#bucket)}`;
    // Who waits for the lock behind us is held as well.
    let since = 0;
    await this.#place("frozen", purpose, undefined, () => {
      since = performance.now();
    });
    return since;
  }

  /** Writes go on where they were. */
  thaw(): Promise<void> {
    return this.#place("open", `release bucket ${bucketName(this.#bucket)}`);
  }

  /** The server gives the bucket up. Rejects with `unsuitable` where somebody has written to it all the same. */
  release(): Promise<void> {
    return this.#place("gone", `give bucket ${bucketName(this.#bucket)} away`, async (client) => {
      await closePartitions(client, this.#bucket);
      if (await hasNotes(client, this.#bucket))
        throw new StoreError(
          "unsuitable",
          `Bucket ${bucketName(this.#bucket)} was written to on ${this.server.name} while it takes no writes: a node runs without postgres.servers. Start all nodes anew with it, and give the command again`,
        );
    });
  }

  /** The server takes the bucket: it has all rows, and the other one does not hold it any more. */
  hold(): Promise<void> {
    return this.server.locking(`take bucket ${bucketName(this.#bucket)}`, async (client) => {
      await refuseOtherMover(client, this.#bucket, this.#mover);
      await take(client, this.#bucket);
      await dropMark(client, this.#bucket);
    });
  }

  /** Undoes `begin`. */
  forget(): Promise<void> {
    return this.server.locking(`end watching bucket ${bucketName(this.#bucket)}`, async (client) => {
      await endNotes(client, this.#bucket);
      await dropMark(client, this.#bucket);
    });
  }

  /** All rows of the bucket go from a server that does not hold it. */
  async clean(): Promise<void> {
    // By itself, as it takes long: the locks of the rest are waited for by all that read and write.
    await this.server.transaction(async (client) => {
      await this.#refuseInUse(client);
      await deleteLogs(client, this.#bucket);
    });
    await this.server.locking(`empty bucket ${bucketName(this.#bucket)}`, async (client) => {
      await this.#refuseInUse(client);
      await endNotes(client, this.#bucket);
      await emptyPartitions(client, this.#bucket);
      await closePartitions(client, this.#bucket);
      await dropMark(client, this.#bucket);
    });
  }

  async #stateOf(client: ClientBase): Promise<SideState> {
    const { held, frozen } = await placementOf(client, this.server.place);
    return {
      isHeld: held.includes(this.#bucket),
      isFrozen: frozen.includes(this.#bucket),
      mark: await markOf(client, this.#bucket),
    };
  }

  async #refuseInUse(client: ClientBase): Promise<void> {
    await refuseHeld(client, this.#bucket, this.server);
    const mark = await markOf(client, this.#bucket);
    if (mark !== undefined) await refuseOtherMover(client, this.#bucket, this.#mover);
  }

  #place(
    holding: Holding,
    purpose: string,
    more?: (client: ClientBase) => Promise<void>,
    begins?: () => void,
  ): Promise<void> {
    return this.server.locking(purpose, async (client) => {
      begins?.();
      await refuseOtherMover(client, this.#bucket, this.#mover);
      if (!(await place(client, this.#bucket, holding)))
        throw new StoreError(
          "occupied",
          `${this.server.name} does not hold bucket ${bucketName(this.#bucket)} any more`,
        );
      await more?.(client);
    });
  }
}
