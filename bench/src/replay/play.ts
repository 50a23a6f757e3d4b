/** Plays a script against a server, and kills the server on the way. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../process/server.ts";
import type { Community } from "./community.ts";
import type { Script } from "./script.ts";

export interface PlayOptions {
  readonly kills: number;
  /** How many times faster than the trace; Infinity: as fast as it goes. */
  readonly speed: number;
  /** Deliveries that may be outstanding before the next line is said. */
  readonly window: number;
}

export interface Kill {
  /** Share of the messages that were stored. */
  readonly progress: number;
  /** From the SIGKILL until the server listened again. */
  readonly listeningMs: number;
  /** From the SIGKILL until every device was signed in and had read what it missed. */
  readonly backMs: number;
}

export interface Played {
  readonly seconds: number;
  readonly kills: readonly Kill[];
}

/** Lines that may wait to be stored: people write on while the server is away, but not without end. */
const unstoredMax = 512;
/** Without anything moving for so long the replay is over; once something is known to be wrong, sooner. */
const silenceMsMax = { right: 60_000, wrong: 5_000 };

export async function play(
  community: Community,
  server: Server,
  options: PlayOptions,
  progress: (community: Community) => void,
): Promise<Played> {
  const { tally, script } = community;
  const startMs = performance.now();
  const kills: Kill[] = [];
  const killAt = Array.from({ length: options.kills }, (_, at) =>
    Math.ceil((script.lines.length * (at + 1)) / (options.kills + 1)),
  );
  const beyondKill = Math.min(unstoredMax, Math.ceil(script.lines.length / (options.kills + 1) / 2));
  let recovery: Promise<void> | undefined;
  let failure: Error | undefined;
  let last = { shown: -1, stored: -1, atMs: startMs };
  while (tally.stored < script.lines.length || tally.pending > 0 || recovery !== undefined) {
    if (failure !== undefined) {
      tally.ledger.violate(failure.message);
      break;
    }
    const due = killAt[0];
    // Everything said before the next kill leaves something to be killed in the middle of.
    const until = due === undefined ? script.lines.length : Math.min(script.lines.length, due + beyondKill);
    feed(community, options, startMs, until);
    if (recovery === undefined && due !== undefined && tally.stored >= due) {
      killAt.shift();
      recovery = recover(community, server, kills).then(
        () => {
          recovery = undefined;
        },
        (error: Error) => {
          failure = error;
        },
      );
    }
    progress(community);
    const nowMs = performance.now();
    const isWaitingForTheClock = options.speed < Number.POSITIVE_INFINITY && tally.fed < script.lines.length;
    if (tally.shown !== last.shown || tally.stored !== last.stored || isWaitingForTheClock) {
      last = { shown: tally.shown, stored: tally.stored, atMs: nowMs };
    } else if (nowMs - last.atMs > silenceMs(community)) {
      tally.ledger.violate(`nothing moved any more: ${missing(community)}`);
      break;
    }
    await sleep(2);
  }
  return { seconds: (performance.now() - startMs) / 1000, kills };
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

async function recover(community: Community, server: Server, kills: Kill[]): Promise<void> {
  const { tally, script } = community;
  const progress = tally.stored / script.lines.length;
  const startMs = performance.now();
  tally.calmSinceMs = Number.POSITIVE_INFINITY;
  await server.kill();
  await server.start();
  const listeningMs = performance.now() - startMs;
  // Until every device has noticed that its connection is gone, and has come back.
  while (!community.isLive) {
    if (performance.now() - startMs > silenceMs(community))
      throw new Error(`not everybody came back after a kill: ${missing(community)}`);
    await sleep(2);
  }
  tally.calmSinceMs = performance.now();
  kills.push({ progress, listeningMs, backMs: tally.calmSinceMs - startMs });
}

function silenceMs({ ledger }: Community): number {
  return ledger.violationCount === 0 ? silenceMsMax.right : silenceMsMax.wrong;
}

function missing({ tally, script, devices }: Community): string {
  const away = devices.filter((device) => !device.isLive);
  return [
    `${tally.fed} of ${script.lines.length} messages said, ${tally.stored} stored, ${tally.pending} deliveries missing`,
    `${away.length} devices not live: ${away
      .slice(0, 10)
      .map((device) => device.describe())
      .join(", ")}`,
  ].join("; ");
}
