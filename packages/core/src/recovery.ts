import type { NodeContext } from "./node-context.ts";
import type { Batch } from "./ports.ts";

/**
 * What follows a failed commit. Whether its entries were stored is open: the store may find them when it returns,
 * and nobody was told. Until then nothing is written, because every decision would rest on a state that is not
 * known. An empty commit asks the store, tick after tick, whether it is back; then all that was read in between is
 * forgotten, and every device reads after its cursors (G4).
 */
export class Recovery {
  readonly #node: NodeContext;
  #state: "well" | "failed" | "asking" = "well";

  constructor(node: NodeContext) {
    this.#node = node;
  }

  /** A commit has failed: nothing that is in memory is known to be true. */
  failed(): void {
    this.#state = "failed";
    this.#forget();
  }

  tick(): void {
    if (this.#state !== "failed") return;
    this.#state = "asking";
    this.#node.store.commit(nothing).then(
      () => this.#returned(),
      () => {
        this.#state = "failed"; // Not yet.
      },
    );
  }

  #returned(): void {
    const { committer, delivery } = this.#node;
    this.#state = "well";
    this.#forget();
    committer.resume();
    delivery.pullAll();
  }

  #forget(): void {
    this.#node.conversations.clear();
    this.#node.memberships.clear();
  }
}

const nothing: Batch = { appends: [], advances: [], puts: [] };
