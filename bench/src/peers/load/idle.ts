/** Connections that sign in, are able to receive, and then do nothing. */
import { Run } from "../../load/run.ts";
import { openPeer } from "../client/open.ts";
import type { PeerClient, PeerEndpoint, PeerEvents } from "../peer-client.ts";

export interface PeerDialInput {
  readonly endpoint: PeerEndpoint;
  /** Connection i is of user `<prefix><i>`. */
  readonly prefix: string;
  /** So many in all. */
  readonly count: number;
  /** Whether the server keeps what comes for them when they have gone. */
  readonly stays: boolean;
}

/** Connections that may be on their way at once: more would overflow the queue of the listening socket. */
const dialingMax = 200;
const dialMsMax = 300_000;

const clients: PeerClient[] = [];
const run = new Run();

/** Opens connections until there are `count`, and leaves them open. */
export async function peerDial({ endpoint, prefix, count, stays }: PeerDialInput): Promise<{ ms: number }> {
  const startMs = performance.now();
  let readyCount = clients.length;
  const dial = () => {
    const index = clients.length;
    const user = `${prefix}${index}`;
    const events: PeerEvents = {
      ready: () => {
        readyCount++;
        clients[index]?.release();
        next();
      },
      stored: () => {},
      message: () => {},
      lost: (reason) => run.fail(`${user}: ${reason}`),
    };
    const reads = [{ kind: "inbox" as const, name: user }];
    clients.push(openPeer(endpoint, { index, user, reads, writes: [], stays }, events));
  };
  const next = () => {
    if (clients.length < count) dial();
  };
  for (let i = 0; i < dialingMax; i++) next();
  await run.until(`connecting ${count}`, () => readyCount === count, dialMsMax);
  return { ms: performance.now() - startMs };
}

/** Closes them; fails where one was lost meanwhile. */
export async function peerHangUp(): Promise<void> {
  await run.pause(0);
  run.end();
  for (const client of clients.splice(0)) client.close();
}
