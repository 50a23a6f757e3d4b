import type { NodeContext } from "./node-context.ts";
import type { Batch } from "./ports.ts";

type State = "well" | "failed" | "returning" | "looking";

/**
 * What follows a failed commit. Whether its entries were stored is open: the store may find them when it returns,
 * and nobody was told. So with the first commit that succeeds again every device reads after its cursors (G4). Where
 * nobody writes any more, an empty commit asks the store whether it has returned.
 */
export class Recovery {
  readonly #node: NodeContext;
  #state: State = "well";
  #isAsking = false;

  constructor(node: NodeContext) {
    this.#node = node;
  }

  /** A commit has failed: nothing that is in memory is known to be true. */
  failed(): void {
    this.#state = "failed";
    this.#node.conversations.clear();
  }

  /** A commit was successful: if it is the first one again, what the store holds is settled. */
  succeeded(): void {
    if (this.#state !== "failed") return;
    this.#state = "returning";
    this.tick();
  }

  /** Goes on with what could not be done the last time. */
  tick(): void {
    if (this.#state === "failed") return this.#ask();
    if (this.#state !== "returning") return;
    this.#state = "looking";
    this.#node.conversations.refresh().then(
      () => {
        if (this.#state !== "looking") return;
        this.#state = "well";
        for (const session of this.#node.sessions.all()) {
          session.fallBehind();
          this.#node.delivery.tellBehind(session);
        }
      },
      () => {
        if (this.#state === "looking") this.#state = "returning";
      },
    );
  }

  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#node.store
      .commit(nothing)
      .then(
        () => this.succeeded(),
        () => undefined, // Not yet: the next tick asks again.
      )
      .finally(() => {
        this.#isAsking = false;
      });
  }
}

const nothing: Batch = { appends: [], advances: [], puts: [] };
