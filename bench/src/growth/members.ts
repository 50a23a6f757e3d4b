/** What the number of members of a group must not change, but for what is done for each of those who are online. */
import { join } from "node:path";
import type { FanoutInput, FanoutResult } from "../load/fanout.ts";
import { callApi } from "../process/api.ts";
import { Child } from "../process/child.ts";
import { Server } from "../process/server.ts";
import type { Row } from "../row.ts";
import { bodyBytes, type Effort, loadProcess, withChild } from "../scenario/scenario.ts";
import { cpuMicrosEach } from "./cost.ts";
import { Figure } from "./figure.ts";
import type { FillerInput } from "./filler.ts";
import { growthProcess } from "./process.ts";

const axis = "members";
const owner = "owner";
/** Members online at most: more would measure the machine's sockets. */
const onlineMax = 1000;
/** Users of one call: the API takes lists of up to so many. */
const listMax = 500;

const figures = () => ({
  send: new Figure({
    axis,
    measure: "send, nobody online",
    unit: "µs CPU",
    expected: "constant",
    note: "CPU of the server for one message of 200 bytes, 64 in flight, only the sender is connected",
  }),
  delivery: new Figure({
    axis,
    measure: "delivery to a member online",
    unit: "µs CPU",
    expected: "constant",
    slopeFrom: onlineMax,
    note: `CPU of the server for one delivery, acknowledgements included, ${onlineMax.toLocaleString("en")} members online (all of them in smaller groups, which are not part of the slope), 8 messages in flight`,
  }),
  clock: new Figure({
    axis,
    measure: "deliveries",
    unit: "µs/delivery",
    expected: "constant",
    slopeFrom: onlineMax,
    note: "the same run by the clock, generator and server on one machine",
  }),
  load: new Figure({
    axis,
    measure: "first touch after a start",
    unit: "ms",
    expected: "linear",
    why: "its members are read",
    note: "one page of history of a conversation that is not in memory yet",
  }),
  change: new Figure({
    axis,
    measure: "adding or removing a member",
    unit: "µs CPU",
    expected: "constant",
    note: "CPU of the server for one change by the owner, nobody else online, one at a time",
  }),
  ack: new Figure({
    axis,
    measure: "acknowledgement",
    unit: "µs CPU",
    expected: "constant",
    note: "CPU of the server for one acknowledgement of one message by the owner, 64 in flight, nobody else online",
  }),
});

type Figures = ReturnType<typeof figures>;

export async function membersOfGroup(effort: Effort, say: (line: string) => void): Promise<Row[]> {
  const sizes = effort.isQuick ? [10, 100, 1000] : [10, 100, 1000, 10_000, 100_000];
  const rounds = Array.from({ length: effort.rounds }, (_, at) => `${at + 1}/${effort.rounds}`);
  const all = figures();
  const settings = { membersMax: 1_000_000, sessionGraceMs: 0, connectTimeoutMs: 60_000 };
  const server = new Server({ profileFolder: effort.profileFolder, settings });
  try {
    await server.start();
    for (const size of sizes) {
      say(`growth: a group of ${size.toLocaleString("en")}`);
      await createGroup(server, size);
    }
    // In each round all sizes in turn: what else happens on the machine does not fall on one of them.
    for (const round of rounds) {
      say(`growth: deliveries in all groups, ${round}`);
      for (const size of sizes) await deliver(server, size, `f${round}`, effort.isQuick, all);
    }
    await server.stop();
    say("growth: messages to be acknowledged in all groups");
    const acks = effort.isQuick ? 5_000 : 30_000;
    for (const size of sizes) await fill(server, size, acks * rounds.length);
    await server.start();
    for (const [at, round] of rounds.entries()) {
      say(`growth: sends, acknowledgements and changes in all groups, ${round}`);
      await ask(server, sizes, { ms: effort.isQuick ? 300 : 1500, acked: acks * at, acks }, all);
    }
    for (const round of rounds) {
      say(`growth: first touch of all groups, ${round}`);
      for (const size of sizes) {
        await server.stop();
        await server.start();
        all.load.add(size, await touch(server, size));
      }
    }
    return Object.values(all).flatMap((figure) => figure.rows());
  } finally {
    await server.remove();
  }
}

/** How long each cost is measured, and how many messages are acknowledged for it, after so many before. */
interface Round {
  readonly ms: number;
  readonly acked: number;
  readonly acks: number;
}

/** The owner does not read what there is: it is not what is measured. */
function ask(server: Server, sizes: readonly number[], round: Round, all: Figures): Promise<void> {
  return withChild(growthProcess(server, owner, false), async (client) => {
    const { ms, acked, acks } = round;
    await client.open();
    const cost = (work: () => Promise<number>) => cpuMicrosEach(server.pid, work);
    await client.send(name(sizes[0] ?? 0), ms);
    for (const size of sizes) {
      const group = name(size);
      // Loads the group: what that costs is a figure of its own.
      await client.send(group, 50);
      all.send.add(size, await cost(() => client.send(group, ms)));
      all.ack.add(size, await cost(() => client.ack(group, acked, acks)));
      all.change.add(size, await cost(() => client.change(group, "visitor", ms)));
    }
  });
}

/** At least so many messages for the owner of a group to acknowledge, straight into the store. */
function fill(server: Server, size: number, count: number): Promise<void> {
  return withChild(new Child(new URL("./filler.ts", import.meta.url)), async (filler) => {
    const input: FillerInput = {
      directory: join(server.data, "store"),
      domain: server.signer.domain,
      conversation: name(size),
      sender: `filler${size}`,
      from: 0,
      bodyBytes: 20,
    };
    await filler.call("open", input);
    // Only every second one goes to the group.
    await filler.call("append", { count: count * 2 });
    await filler.call("close");
  });
}

function name(size: number): string {
  return `group${size}`;
}

/** Who comes online is added last: nobody can read what was before, so that there is no backlog to read. */
async function createGroup(server: Server, size: number): Promise<void> {
  const online = Array.from({ length: onlineOf(size) }, (_, index) => ({ user: `${prefix(size)}${index}` }));
  const others = Array.from({ length: size - online.length - 2 }, (_, index) => ({ user: `m${index}` }));
  const first = [{ user: owner, role: "owner" }, ...others.slice(0, listMax - 1)];
  const rest = [...others.slice(listMax - 1), ...online, { user: sender(size) }];
  await callApi(server, "POST", "/v1/conversations", { conversation: name(size), members: first });
  for (let from = 0; from < rest.length; from += listMax) {
    const members = rest.slice(from, from + listMax);
    await callApi(server, "POST", `/v1/conversations/${name(size)}/members`, { members });
  }
}

function onlineOf(size: number): number {
  return Math.min(size - 2, onlineMax);
}

function prefix(size: number): string {
  return `o${size}x`;
}

function sender(size: number): string {
  return `sender${size}`;
}

/** One page of a conversation that nobody has asked for since the server started. */
function touch(server: Server, size: number): Promise<number> {
  return withChild(growthProcess(server, owner, false), async (client) => {
    await client.open();
    return client.history(name(size), Number.MAX_SAFE_INTEGER, 1, 1);
  });
}

async function deliver(
  server: Server,
  size: number,
  idPrefix: string,
  isQuick: boolean,
  all: Figures,
): Promise<void> {
  const input: FanoutInput = {
    port: server.tcpPort,
    transport: "tcp",
    trust: server.signer,
    conversation: name(size),
    members: onlineOf(size),
    prefix: prefix(size),
    sender: sender(size),
    inFlight: 8,
    bodyBytes,
    idPrefix,
    warmMs: isQuick ? 300 : 1000,
    measureMs: isQuick ? 500 : 2000,
    serverPid: server.pid,
  };
  await withChild(loadProcess(), async (load) => {
    const { result } = await load.call<FanoutResult>("fanout", input);
    all.clock.add(size, 1e6 / result.deliveriesPerSecond);
    all.delivery.add(size, result.serverCpuMsEach * 1000);
  });
}
