import type { Sample } from "../sample.ts";
import type { PeerServer, ScenarioName, Setup } from "../system/system.ts";

/** A scenario that every system is put through: it needs a server that is set up, and gives samples. */
export interface PeerScenario {
  readonly name: ScenarioName;
  setup(isQuick: boolean): Setup;
  /** Runs on a server that has just been started; `round` counts from 0. */
  measure(server: PeerServer, isQuick: boolean): Promise<Sample[]>;
}

/** `count` names with the same beginning. */
export function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}
