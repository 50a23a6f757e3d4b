/** The units of work that a cluster of any size is made of, each measured on its own. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Nodes } from "../distribution/system.ts";
import type { DirectInput } from "../load/direct.ts";
import type { FanoutInput, FanoutResult } from "../load/fanout.ts";
import type { IdleInput } from "../load/idle.ts";
import type { StormInput } from "../load/storm.ts";
import { createGroup } from "../process/api.ts";
import { bodyBytes, loadProcess, withChild } from "../scenario/scenario.ts";
import type { Consumption, Meter } from "./consumption.ts";

/** What so many of a unit have used. */
export interface Measured {
  readonly count: number;
  readonly used: Consumption;
}

export interface Unit {
  readonly name: string;
  readonly note: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  measure(nodes: Nodes, meter: Meter, isQuick: boolean): Promise<Measured>;
}

/** Sessions that end with their connection; compared with the store so rarely that it is not seen. */
const apart = { sessionGraceMs: 0, repairEveryMs: 3_600_000, connectTimeoutMs: 60_000 };

const rate = { full: 3000, quick: 500 };
const members = { full: 1000, quick: 100 };
const perSecond = 15;
const crowd = { full: 2000, quick: 200 };
const conversationsEach = 20;
const groupSize = 100;
/** With so many on each node a round takes no longer: 100 of them a second. */
const comparedEveryMs = 7000;
const idleConnections = { full: 9000, quick: 500 };
const pings = 10;

const message: Unit = {
  name: "message",
  note: `one to one, ${rate.full.toLocaleString("en")}/s, between users on any two nodes: sent, stored, delivered, acknowledged by the device, the acknowledgement stored; 200 bytes`,
  settings: apart,
  async measure(nodes, meter, isQuick) {
    const each = isQuick ? rate.quick : rate.full;
    const input: DirectInput & { rate: number } = {
      ...tcp(nodes),
      ...{ users: 200, prefix: "u", inFlight: 0, bodyBytes, warmMs: 3000, measureMs: 0, rate: each },
    };
    const ms = isQuick ? 2000 : 10_000;
    return withChild(loadProcess(), async (load) => {
      await load.call("beginStay", input);
      const used = await meter.between(ms);
      await load.call("endStay");
      return { count: (each * ms) / 1000, used };
    });
  },
};

const delivery: Unit = {
  name: "delivery",
  note: `one of the ${members.full.toLocaleString("en")} of each message of a large group, ${perSecond} messages/s, all members online and spread over the nodes, the acknowledgement stored; 200 bytes`,
  settings: apart,
  async measure(nodes, meter, isQuick) {
    const count = isQuick ? members.quick : members.full;
    const names = Array.from({ length: count }, (_, index) => `m${index}`);
    await createGroup(nodes[0], "everybody", ["sender", ...names]);
    const connectMs = isQuick ? 3000 : 8000;
    const ms = isQuick ? 2000 : 10_000;
    const input: FanoutInput = {
      ...tcp(nodes),
      ...{ conversation: "everybody", members: count, prefix: "m", sender: "sender", inFlight: 0, bodyBytes },
      ...{ rate: perSecond, warmMs: connectMs, measureMs: ms + 4000 },
    };
    return withChild(loadProcess(), async (load) => {
      const played = load.call<FanoutResult>("fanout", input);
      // Connecting is part of neither: at a fixed rate any stretch after it is like the others.
      const [used] = await Promise.all([sleep(connectMs + 2000).then(() => meter.between(ms)), played]);
      return { count: (count * perSecond * ms) / 1000, used };
    });
  },
};

const signIn: Unit = {
  name: "sign-in",
  note: `a device that was here before, its user in ${conversationsEach} conversations, nothing new: connect and sync, ${crowd.full.toLocaleString("en")} at once`,
  settings: apart,
  async measure(nodes, meter, isQuick) {
    const input = await comingCrowd(nodes, isQuick);
    const comeBack = () => withChild(loadProcess(), (load) => load.call("returnAll", input));
    await withChild(loadProcess(), (load) => load.call("returnAll", { ...input, reads: true }));
    return { count: input.count, used: await meter.during(comeBack) };
  },
};

const comparison: Unit = {
  name: "comparison",
  note: `a user online, in ${conversationsEach} conversations that are read, compared with the store (\`repairEveryMs\`)`,
  settings: { ...apart, repairEveryMs: comparedEveryMs, heartbeatMs: 300_000 },
  async measure(nodes, meter, isQuick) {
    const input = await comingCrowd(nodes, isQuick);
    return withChild(loadProcess(), async (load) => {
      await load.call("returnAll", { ...input, reads: true });
      // A round that finds something is not one of those that are meant.
      await sleep(2 * comparedEveryMs);
      const before = await comparisons(nodes);
      const used = await meter.between((isQuick ? 1 : 3) * comparedEveryMs);
      return { count: (await comparisons(nodes)) - before, used };
    });
  },
};

const online: Unit = {
  name: "user online",
  note: "a user without conversations signs in for the first time and stays: NATS keeps a subscription for them",
  settings: apart,
  async measure(nodes, meter, isQuick) {
    const input = idleConnectionsOf(nodes, isQuick);
    return withChild(loadProcess(), async (load) => {
      const used = await meter.during(() => load.call("dial", input));
      await load.call("hangUp");
      return { count: input.count, used };
    });
  },
};

const heartbeat: Unit = {
  name: "heartbeat",
  note: "`ping` of a connection that does nothing else, and its answer",
  settings: apart,
  async measure(nodes, meter, isQuick) {
    const input = idleConnectionsOf(nodes, isQuick);
    return withChild(loadProcess(), async (load) => {
      await load.call("dial", input);
      const used = await meter.during(() => load.call("pingAll", { times: pings }));
      await load.call("hangUp");
      return { count: input.count * pings, used };
    });
  },
};

export const units: readonly Unit[] = [message, delivery, signIn, comparison, online, heartbeat];

function idleConnectionsOf(nodes: Nodes, isQuick: boolean): IdleInput {
  return { ...tcp(nodes), prefix: "i", count: isQuick ? idleConnections.quick : idleConnections.full };
}

/** Users who share groups, each in the same number of them. */
async function comingCrowd(nodes: Nodes, isQuick: boolean): Promise<StormInput> {
  const count = isQuick ? crowd.quick : crowd.full;
  const circles = count / groupSize;
  for (let circle = 0; circle < circles; circle++) {
    const users = Array.from({ length: groupSize }, (_, index) => `s${circle + index * circles}`);
    await Promise.all(
      Array.from({ length: conversationsEach }, (_, index) =>
        createGroup(nodes[index % nodes.length] ?? nodes[0], `g${circle}-${index}`, users),
      ),
    );
  }
  return { ...tcp(nodes), prefix: "s", count };
}

/** How many users were compared so far, on all nodes. */
async function comparisons(nodes: Nodes): Promise<number> {
  const pages = await Promise.all(
    nodes.map(({ url }) => fetch(`${url}/metrics`).then((page) => page.text())),
  );
  return pages
    .map((page) => Number(/^hongyan_comparisons_total (\d+)/m.exec(page)?.[1]))
    .reduce((sum, count) => sum + count, 0);
}

function tcp(nodes: Nodes) {
  const [{ tcpPort: port, signer: trust }] = nodes;
  return { transport: "tcp", port, ports: nodes.map(({ tcpPort }) => tcpPort), trust } as const;
}
