/** Many senders write to one user who is away; then the user comes, gets everything and acknowledges it. */
import { backlog, fill } from "../../load/backlog.ts";
import { Run } from "../../load/run.ts";
import { openPeer } from "../client/open.ts";
import type { Channel, PeerClient, PeerEndpoint, PeerEvents } from "../peer-client.ts";
import { newBody, setNumber } from "../wire/body.ts";

export interface PeerBacklogInput {
  readonly endpoint: PeerEndpoint;
  /** Sender i is `<prefix>s<i>`, the reader `<prefix>r`. */
  readonly prefix: string;
  readonly senders: number;
  readonly messagesEach: number;
  readonly bodyBytes: number;
}

const fillMsMax = 600_000;
const drainMsMax = 120_000;
/** Messages of one sender that are not stored yet. */
const inFlight = 32;

class Filler implements PeerEvents {
  readonly client: PeerClient;
  readonly #count: number;
  readonly #body: Buffer;
  readonly #run: Run;
  #sent = 0;
  storedCount = 0;

  constructor(input: PeerBacklogInput, index: number, run: Run) {
    const { endpoint, prefix, messagesEach, bodyBytes } = input;
    this.#count = messagesEach;
    this.#body = newBody(index, bodyBytes);
    this.#run = run;
    const writes: Channel[] = [{ kind: "inbox", name: `${prefix}r` }];
    const login = { index, user: `${prefix}s${index}`, reads: [], writes, stays: false };
    this.client = openPeer(endpoint, login, this);
  }

  ready(): void {
    while (this.#sent < this.#count && this.#sent - this.storedCount < inFlight)
      this.client.send(0, setNumber(this.#body, ++this.#sent));
  }

  stored(): void {
    this.storedCount++;
    this.ready();
  }

  message(): void {}

  lost(reason: string): void {
    this.#run.fail(`a sender: ${reason}`);
  }
}

/** Makes the reader known to the server, which keeps from then on what comes for it. */
export async function peerLeave(input: PeerBacklogInput): Promise<void> {
  if (input.endpoint.protocol === "hongyan") return;
  const run = new Run();
  let isReady = false;
  const client = openReader(input, run, {
    ready: () => {
      isReady = true;
    },
    message: () => {},
  });
  await run.until("making the reader known", () => isReady);
  run.end();
  client.close();
}

export async function peerFill(input: PeerBacklogInput): Promise<void> {
  const { endpoint } = input;
  if (endpoint.protocol === "hongyan") return fill({ ...input, ...endpoint, port: endpoint.tcpPort });
  const run = new Run();
  const fillers = Array.from({ length: input.senders }, (_, index) => new Filler(input, index, run));
  const isStored = () => fillers.every(({ storedCount }) => storedCount === input.messagesEach);
  await run.until("filling", isStored, fillMsMax);
  run.end();
  for (const { client } of fillers) client.close();
}

/** Milliseconds from the first packet of the connection until everything is here and acknowledged. */
export async function peerDrain(input: PeerBacklogInput): Promise<{ ms: number; repeated: number }> {
  const { endpoint, senders, messagesEach } = input;
  // Ours is read page by page, and each page acknowledged durably before the next: by the client of the plain bench.
  if (endpoint.protocol === "hongyan") {
    const { ms } = await backlog({ ...input, ...endpoint, device: "d" });
    return { ms, repeated: 0 };
  }
  const run = new Run();
  const expected = senders * messagesEach;
  const seen = new Uint8Array(expected);
  let count = 0;
  let repeated = 0;
  let ms = 0;
  const startMs = performance.now();
  // The moment itself, as it is taken for ours: the next look of `until` may be some milliseconds later.
  const settle = () => {
    if (client.hasAckedAll) ms = performance.now() - startMs;
    else setImmediate(settle);
  };
  const client = openReader(input, run, {
    ready: () => {},
    message: (sender, n) => {
      const at = sender * messagesEach + n - 1;
      if (seen[at] === 1) repeated++;
      else if (++count === expected) setImmediate(settle);
      seen[at] = 1;
    },
  });
  await run.until("reading the backlog", () => ms > 0, drainMsMax);
  run.end();
  client.close();
  return { ms, repeated };
}

function openReader(
  { endpoint, prefix, senders }: PeerBacklogInput,
  run: Run,
  events: Pick<PeerEvents, "ready" | "message">,
): PeerClient {
  const user = `${prefix}r`;
  const reads: Channel[] = [{ kind: "inbox", name: user }];
  return openPeer(
    endpoint,
    { index: senders, user, reads, writes: [], stays: true },
    { ...events, stored: () => {}, lost: (reason) => run.fail(`the reader: ${reason}`) },
  );
}
