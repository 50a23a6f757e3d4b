/** The token, asked for when there is none or the last one is over. */
export class TokenSource {
  readonly #source: string | (() => Promise<string>);
  #token: string | undefined;
  /** The token at hand was fetched for the current attempt: a refusal of it is final. */
  isFresh = false;

  constructor(source: string | (() => Promise<string>)) {
    this.#source = source;
    if (typeof source === "string") {
      this.#token = source;
      this.isFresh = true;
    }
  }

  /** False for a plain string: when it is over, there is no other. */
  get canRenew(): boolean {
    return typeof this.#source === "function";
  }

  async token(): Promise<string> {
    if (this.#token !== undefined) {
      this.isFresh = !this.canRenew;
      return this.#token;
    }
    if (typeof this.#source === "string") return this.#source;
    const token = await this.#source();
    if (typeof token !== "string" || token === "") throw new Error("the token function returned no token");
    this.#token = token;
    this.isFresh = true;
    return token;
  }

  /** The server does not take the token at hand: the next attempt asks for another. */
  renew(): void {
    if (this.canRenew) this.#token = undefined;
  }
}
