/** What became of an acknowledgement: `ahead` names a frame that was never sent, `forgotten` frames that are gone. */
export type AckOutcome = "ok" | "ahead" | "forgotten";

export interface Page {
  readonly frames: readonly Uint8Array[];
  /** Number of the last of them; where there are none, of the last before them. */
  readonly last: number;
}

/**
 * The numbered frames of a held connection that its client has not acknowledged, in the order they were written. A
 * cursor, not a buffer that empties when it is sent: only `acknowledge` forgets (G1).
 */
export class Backlog {
  #frames: Uint8Array[] = [];
  #bytes = 0;
  /** Number of the last frame that was acknowledged, 0 before the first. */
  #acknowledged = 0;
  /** Number of the last frame that was dropped, 0 where none was. */
  #dropped = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Number of the last frame, 0 before the first. */
  get last(): number {
    return this.#acknowledged + this.#frames.length;
  }

  append(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#bytes += frame.length;
  }

  /** Forgets the frames up to `after`. */
  acknowledge(after: number): AckOutcome {
    if (after > this.last) return "ahead";
    if (after < this.#acknowledged) return this.#acknowledged === this.#dropped ? "ok" : "forgotten";
    const count = after - this.#acknowledged;
    if (count === 0) return "ok";
    for (const frame of this.#frames.splice(0, count)) this.#bytes -= frame.length;
    this.#acknowledged = after;
    return "ok";
  }

  /** Forgets what was not acknowledged: for a connection that ends because nobody fetches it. */
  drop(): void {
    this.#acknowledged = this.last;
    this.#dropped = this.#acknowledged;
    this.#frames = [];
    this.#bytes = 0;
  }

  /** The frames from `after` + 1 on that are still here, as many as fit into `bytesMax`; at least one where there is one. */
  read(after: number, bytesMax: number): Page {
    const from = Math.max(0, after - this.#acknowledged);
    let to = from;
    for (let bytes = 0; to < this.#frames.length; to++) {
      bytes += (this.#frames[to] as Uint8Array).length;
      if (bytes > bytesMax && to > from) break;
    }
    return { frames: this.#frames.slice(from, to), last: this.#acknowledged + to };
  }
}
