import { Fifo } from "./fifo.ts";

type Page = () => Promise<void>;

/** Pages that are read from the store at once, for all peers together. */
const underWayMax = 16;

/**
 * Large answers (`sync`, `list`, `history`) that wait for their turn at the store. A few dozen keep it busy; more would
 * only wait inside it, and each takes memory there that is not given back.
 *
 * Those who have had a page and go on take turns with those who begin. Behind all of them, a device would find as much
 * new with each page as the page has brought, where many come back and the others write on: it would never be done.
 */
export class Pages {
  readonly #beginning = new Fifo<Page>();
  readonly #goingOn = new Fifo<Page>();
  #isTurnToBegin = false;
  #underWay = 0;

  /** Runs `page`, whose promise never rejects, in its turn. */
  add(page: Page, goesOn = false): void {
    if (this.#underWay < underWayMax) this.#run(page);
    else (goesOn ? this.#goingOn : this.#beginning).push(page);
  }

  #run(page: Page): void {
    this.#underWay++;
    void page().then(this.#ended);
  }

  readonly #ended = (): void => {
    this.#underWay--;
    const page = this.#next();
    if (page !== undefined) this.#run(page);
  };

  #next(): Page | undefined {
    this.#isTurnToBegin = !this.#isTurnToBegin;
    return this.#isTurnToBegin
      ? (this.#beginning.shift() ?? this.#goingOn.shift())
      : (this.#goingOn.shift() ?? this.#beginning.shift());
  }
}
