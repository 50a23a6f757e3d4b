/** Everybody comes back at once, and tries again until the server has taken them all. */
import { Run } from "../../load/run.ts";
import { returnAll, type StormResult } from "../../load/storm.ts";
import { Histogram } from "../../measure/histogram.ts";
import { openPeer } from "../client/open.ts";
import type { PeerEndpoint, PeerEvents } from "../peer-client.ts";

export interface PeerReturnInput {
  readonly endpoint: PeerEndpoint;
  /** Connection i is of user `<prefix><i>`. */
  readonly prefix: string;
  readonly count: number;
}

export type PeerReturnResult = Pick<StormResult, "connectedMs" | "connected" | "refused">;

const retryMsMax = 100;
const returnMsMax = 300_000;

/** Resolves once all of them are signed in and able to receive; they stay. */
export async function peerReturn(input: PeerReturnInput): Promise<PeerReturnResult> {
  const { endpoint, prefix, count } = input;
  // Ours sends clients away with a time to come back: its own client knows what to do then.
  if (endpoint.protocol === "hongyan") {
    const result = await returnAll({ ...endpoint, prefix, count });
    return { ...result, connectedMs: result.syncedMs };
  }
  const run = new Run();
  const connected = new Histogram();
  const startMs = performance.now();
  let connectedMs = 0;
  let readyCount = 0;
  let refused = 0;
  const dial = (index: number) => {
    const user = `${prefix}${index}`;
    let isReady = false;
    const events: PeerEvents = {
      ready: () => {
        isReady = true;
        readyCount++;
        connectedMs = performance.now() - startMs;
        connected.record(connectedMs);
      },
      stored: () => {},
      message: () => {},
      lost: (reason) => {
        if (isReady) return run.fail(`${user} was lost again: ${reason}`);
        refused++;
        setTimeout(() => dial(index), Math.random() * retryMsMax);
      },
    };
    const reads = [{ kind: "inbox" as const, name: user }];
    openPeer(endpoint, { index, user, reads, writes: [], stays: true }, events);
  };
  for (let index = 0; index < count; index++) dial(index);
  await run.until("coming back", () => readyCount === count, returnMsMax);
  // They stay: the server is killed under them, or the process ends.
  run.end();
  return { connectedMs, connected: connected.percentiles(), refused };
}
