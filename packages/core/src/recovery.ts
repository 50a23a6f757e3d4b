import type { NodeContext } from "./node-context.ts";

type State = "well" | "failed" | "returning" | "looking";

/**
 * What follows a failed commit. Whether its entries were stored is open: the store may find them when it returns,
 * and nobody was told. So with the first commit that succeeds again every device reads after its cursors (G4).
 */
export class Recovery {
  readonly #node: NodeContext;
  #state: State = "well";

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

  /** Goes on with what could not be read the last time. */
  tick(): void {
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
}
