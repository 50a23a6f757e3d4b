/** Plays a script, whatever goes wrong on the way. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Community } from "./community.ts";
import type { Script } from "./script.ts";
import { silenceMs, type Trouble } from "./trouble.ts";

export interface PlayOptions {
  /** How many times faster than the trace; Infinity: as fast as it goes. */
  readonly speed: number;
  /** Deliveries that may be outstanding before the next line is said. */
  readonly window: number;
}

/** Lines that may wait to be stored: people write on while the server is away, but not without end. */
const unstoredMax = 512;

/** Resolves to the seconds that it took. */
export async function play(
  community: Community,
  trouble: Trouble,
  options: PlayOptions,
  progress: (community: Community) => void,
): Promise<number> {
  const { tally, script } = community;
  const startMs = performance.now();
  let last = { shown: -1, stored: -1, atMs: startMs };
  while (tally.stored < script.lines.length || tally.pending > 0 || !trouble.isOver) {
    if (trouble.failure !== undefined) {
      tally.ledger.violate(trouble.failure);
      break;
    }
    feed(community, options, startMs, trouble.linesMax);
    trouble.tick();
    progress(community);
    const nowMs = performance.now();
    const isWaitingForTheClock = options.speed < Number.POSITIVE_INFINITY && tally.fed < script.lines.length;
    if (tally.shown !== last.shown || tally.stored !== last.stored || isWaitingForTheClock) {
      last = { shown: tally.shown, stored: tally.stored, atMs: nowMs };
    } else if (nowMs - last.atMs > silenceMs(tally.ledger)) {
      tally.ledger.violate(`nothing moved any more: ${community.missing()}`);
      break;
    }
    await sleep(2);
  }
  return (performance.now() - startMs) / 1000;
}

/** Says the next lines before `until`, as far as the windows and the clock of the trace allow. */
function feed(community: Community, { speed, window }: PlayOptions, startMs: number, until: number): void {
  const { tally, script } = community;
  const untilSeconds =
    speed === Number.POSITIVE_INFINITY ? speed : ((performance.now() - startMs) / 1000) * speed;
  // While the server is away deliveries stand still: that must not silence the users.
  const room = community.isLive ? window : window * 4;
  while (tally.fed < until && tally.fed - tally.stored < unstoredMax) {
    const line = script.lines[tally.fed] as Script["lines"][number];
    if (line.seconds > untilSeconds || tally.pending + soon(community) > room) return;
    community.say(tally.fed);
  }
}

/** Deliveries that the lines on their way to the store will make. */
function soon({ tally, script, deliveries }: Community): number {
  return ((tally.fed - tally.stored) * deliveries) / script.lines.length;
}
