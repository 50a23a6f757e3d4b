import type { Frame } from "@hongyan/protocol";
import type { Bench, LinkView, Observations } from "./observations.ts";

/** G8: what waits for one connection is bounded, whatever its peer does. */
export class BoundsChecker implements Observations {
  readonly #bench: Bench;
  readonly #bytesMax: number;

  constructor(bench: Bench, bytesMax: number) {
    this.#bench = bench;
    this.#bytesMax = bytesMax;
  }

  written(link: LinkView, frame: Frame): void {
    if (link.queuedBytes <= this.#bytesMax) return;
    const { domain, user, device } = link.device;
    this.#bench.object(
      "G8",
      `${link.queuedBytes} bytes wait for ${domain}/${user}/${device} after ${frame.type}; allowed are ${this.#bytesMax}`,
    );
  }
}
