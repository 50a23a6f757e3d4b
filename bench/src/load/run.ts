/** One run of a generator: it can be waited for, and anything that goes wrong ends the waiting. */
export class Run {
  #error: Error | undefined;
  #reject: ((error: Error) => void) | undefined;
  #ended = false;

  fail(reason: string): void {
    if (this.#ended) return;
    this.#error ??= new Error(reason);
    this.#reject?.(this.#error);
  }

  /** From here on connections may close: they are part of the ending. */
  end(): void {
    this.#ended = true;
  }

  /** Resolves once `done()` is true, looked at every few milliseconds. `missing`: what is, for who waits in vain. */
  async until(
    what: string,
    done: () => boolean,
    timeoutMs = 30_000,
    missing: () => string = () => "",
  ): Promise<void> {
    const startMs = performance.now();
    while (!done()) {
      if (performance.now() - startMs > timeoutMs)
        throw new Error(`${what}: not within ${timeoutMs / 1000} s${missing()}`);
      await this.pause(2);
    }
  }

  /** Waits; a failure ends it early. */
  async pause(ms: number): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      this.#reject = (error) => {
        clearTimeout(timer);
        reject(error);
      };
    });
    this.#reject = undefined;
  }
}
