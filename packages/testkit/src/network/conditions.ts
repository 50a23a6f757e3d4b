import type { SeededRandom } from "../seeded-random.ts";

/** How a link treats what is sent over it. Rates are probabilities per frame. */
export interface Conditions {
  /**
   * `stream`: bytes arrive in order and whole until the link breaks, as TCP promises. `datagram`: every frame for
   * itself, so that each packet of an exchange can be lost, doubled or overtaken.
   */
  readonly kind: "stream" | "datagram";
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  readonly drop: number;
  readonly duplicate: number;
  /** Probability that a frame is held up, and for how long at most: later frames overtake it. */
  readonly hold: number;
  readonly holdMsMax: number;
}

export const calm: Conditions = {
  kind: "stream",
  latencyMsMin: 1,
  latencyMsMax: 20,
  drop: 0,
  duplicate: 0,
  hold: 0,
  holdMsMax: 0,
};

/** What of the bad weather a shrunk run leaves out. */
export type Weather = "datagram" | "drop" | "duplicate" | "hold" | "latency";
export const weathers: readonly Weather[] = ["datagram", "drop", "duplicate", "hold", "latency"];

/**
 * A mix of its own for every seed: one that has all faults at once rarely gets anywhere, one that has few of them
 * reaches deep states.
 */
export function drawConditions(random: SeededRandom, without: ReadonlySet<Weather>): Conditions {
  const slow = random.chance(0.3);
  const latencyMsMin = slow ? random.between(20, 200) : random.between(0, 5);
  const latencyMsMax = latencyMsMin + (slow ? random.between(10, 900) : random.between(1, 40));
  const datagram = random.chance(0.4);
  const drop = random.chance(0.6) ? random.pick([0.01, 0.03, 0.1, 0.2]) : 0;
  const duplicate = random.chance(0.5) ? random.pick([0.02, 0.1, 0.3]) : 0;
  const hold = random.chance(0.5) ? random.pick([0.02, 0.1, 0.3]) : 0;
  const holdMsMax = random.pick([20, 300, 3_000, 8_000]);
  const latency = without.has("latency") ? calm : { latencyMsMin, latencyMsMax };
  if (!datagram || without.has("datagram"))
    return { ...calm, latencyMsMin: latency.latencyMsMin, latencyMsMax: latency.latencyMsMax };
  return {
    kind: "datagram",
    latencyMsMin: latency.latencyMsMin,
    latencyMsMax: latency.latencyMsMax,
    drop: without.has("drop") ? 0 : drop,
    duplicate: without.has("duplicate") ? 0 : duplicate,
    hold: without.has("hold") ? 0 : hold,
    holdMsMax,
  };
}
