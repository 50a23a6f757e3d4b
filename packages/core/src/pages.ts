import { Fifo } from "./fifo.ts";

/** Pages that are read from the store at once, for all peers together. */
const underWayMax = 16;

/**
 * Large answers (`sync`, `list`, `history`) that wait for their turn at the store. A few dozen keep it busy; more would
 * only wait inside it, and each takes memory there that is not given back.
 */
export class Pages {
  readonly #waiting = new Fifo<() => Promise<void>>();
  #underWay = 0;

  /** Runs `page`, whose promise never rejects, in its turn. */
  add(page: () => Promise<void>): void {
    if (this.#underWay < underWayMax) this.#begin(page);
    else this.#waiting.push(page);
  }

  #begin(page: () => Promise<void>): void {
    this.#underWay++;
    void page().then(this.#ended);
  }

  readonly #ended = (): void => {
    this.#underWay--;
    const page = this.#waiting.shift();
    if (page !== undefined) this.#begin(page);
  };
}
