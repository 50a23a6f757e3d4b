/** Does its work a moment after it was first asked to, once for all who asked meanwhile. */
export class Soon {
  readonly #work: () => void;
  readonly #delayMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(delayMs: number, work: () => void) {
    this.#delayMs = delayMs;
    this.#work = work;
  }

  ask(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#work();
    }, this.#delayMs);
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
