/** One server, a few small loads in lock step, and what each message has cost. */
import { createGroup } from "../process/api.ts";
import { Child } from "../process/child.ts";
import { Server } from "../process/server.ts";
import { bodyBytes } from "../scenario/scenario.ts";
import type { Counted } from "./expected.ts";
import type { GatherInput, Played } from "./generator.ts";
import { type Reading, readingOf } from "./reading.ts";

interface Load extends Pick<GatherInput, "shape" | "transport" | "users" | "inFlight"> {
  readonly name: string;
  readonly rounds: number;
}

function load(
  kind: "direct" | "fanout",
  transport: Load["transport"],
  numbers: Pick<Load, "users" | "inFlight" | "rounds">,
): Load {
  const { users, inFlight } = numbers;
  const name = kind === "direct" ? `direct, ${transport}` : `fanout to ${users}, ${transport}`;
  return {
    name: `${name}, ${inFlight} in flight`,
    shape: kind === "direct" ? "pairs" : "group",
    transport,
    ...numbers,
  };
}

const loads: readonly Load[] = [
  load("direct", "tcp", { users: 100, inFlight: 1, rounds: 4 }),
  load("direct", "tcp", { users: 100, inFlight: 32, rounds: 1 }),
  load("direct", "websocket", { users: 100, inFlight: 8, rounds: 2 }),
  load("fanout", "tcp", { users: 100, inFlight: 8, rounds: 2 }),
  load("fanout", "websocket", { users: 100, inFlight: 8, rounds: 2 }),
  load("fanout", "poll", { users: 50, inFlight: 1, rounds: 4 }),
];

/**
 * A young generation that takes everything a load allocates, and no optimising compilers: when they have seen enough
 * of a function depends on time, and what they compile allocates less. So this counts what the source asks for.
 */
const watchFlags = [
  "--expose-gc",
  "--min-semi-space-size=256",
  "--max-semi-space-size=256",
  "--no-opt",
  "--no-maglev",
  "--no-sparkplug",
  "--no-flush-bytecode",
  "--no-lazy-feedback-allocation",
  "--import",
  new URL("./watch.ts", import.meta.url).href,
];

/** Nothing that happens by the clock, but for receipts: they leave with the next tick. */
const settings = {
  heartbeatMs: 600_000,
  repushAfterMs: 600_000,
  receiptsEveryMs: 0,
  poll: { holdMsMin: 600_000, holdMsMax: 600_000 },
};

export async function measureCounts(): Promise<Counted[]> {
  const server = new Server({ settings, execArgv: watchFlags });
  const generator = new Child(new URL("./generator.ts", import.meta.url));
  try {
    await server.start();
    const counted: Counted[] = [];
    for (const [at, load] of loads.entries()) counted.push(await count(server, generator, load, `c${at}-`));
    return counted;
  } finally {
    await generator.end();
    await server.remove();
  }
}

async function count(server: Server, generator: Child, load: Load, prefix: string): Promise<Counted> {
  const conversation = `${prefix}group`;
  const { pid, port, tcpPort, signer } = server;
  const { name, rounds, ...rest } = load;
  const members = Array.from({ length: load.users }, (_, index) => `${prefix}${index}`);
  if (load.shape === "group") await createGroup(server, conversation, [`${prefix}s`, ...members]);
  const input: GatherInput = { ...rest, pid, port, tcpPort, trust: signer, prefix, conversation, bodyBytes };
  await generator.call("gather", input);
  // What is made once (conversations, caches, bytecode) is made here.
  await generator.call("play", { rounds: 1 });
  const { result, made } = await readingOf(server, () => generator.call<Played>("play", { rounds }));
  return { load: name, values: valuesOf(made, result.result) };
}

function valuesOf(made: Reading, { deliveries, frames, bytes }: Played): Counted["values"] {
  return {
    "bytes on the wire": bytes / deliveries,
    "frames on the wire": frames / deliveries,
    "read calls": made.reads / deliveries,
    "write calls": made.writes / deliveries,
    commits: made.commits / deliveries,
    "bytes written to disk": (made.writtenBytes - bytes) / deliveries,
    "bytes allocated on the heap": made.heapBytes / deliveries,
  };
}
