/** The scenarios of one server, played by clients that are spread over nodes. */
import type { BacklogInput, FillInput } from "../load/backlog.ts";
import type { DirectInput, DirectResult } from "../load/direct.ts";
import type { FanoutInput, FanoutResult } from "../load/fanout.ts";
import type { IdleInput } from "../load/idle.ts";
import type { StormInput, StormResult } from "../load/storm.ts";
import { createGroup } from "../process/api.ts";
import type { Memory } from "../process/memory.ts";
import type { ServerOptions } from "../process/server.ts";
import { first, idleSettings, quietMs, settled } from "../scenario/idle.ts";
import { bodyBytes, loadProcess, withChild } from "../scenario/scenario.ts";
import type { Nodes } from "./system.ts";

/** One figure of one run; latencies in ms. */
export interface Sample {
  readonly value: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly p999?: number;
  /** Messages that came again, as they were not acknowledged in time. */
  readonly repeated?: number;
}

/** What is measured in one go, on fresh nodes. */
export interface Cell {
  readonly scenario: string;
  readonly variant: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly note: string;
  readonly options?: ServerOptions;
  /** Takes long, and says the same each time. */
  readonly isOnce?: boolean;
  measure(nodes: Nodes, isQuick: boolean): Promise<Sample>;
}

const users = 200;
const members = 1000;
const senders = 100;
const messagesEach = 200;
const stormCount = { full: 3000, quick: 600 };
const idleCount = { full: 6000, quick: 600 };

function tcp(nodes: Nodes) {
  const [{ tcpPort: port, signer: trust }] = nodes;
  return { transport: "tcp", port, ports: nodes.map(({ tcpPort }) => tcpPort), trust } as const;
}

function direct(inFlight: number): Cell {
  return {
    scenario: "direct",
    variant: `${inFlight} in flight`,
    unit: "messages/s",
    better: "more",
    note: `${users} users in pairs over tcp, partners on every pair of nodes alike; latency is send→received`,
    async measure(nodes, isQuick) {
      const input: DirectInput = {
        ...tcp(nodes),
        ...{ users, prefix: "u", inFlight, bodyBytes },
        ...(isQuick ? { warmMs: 500, measureMs: 1000 } : { warmMs: 2000, measureMs: 4000 }),
      };
      const { perSecond, received, repeated } = await play<DirectResult>("direct", input);
      return { value: perSecond, repeated, p50: received.p50, p99: received.p99, p999: received.p999 };
    },
  };
}

const fanout: Cell = {
  scenario: "fanout",
  variant: `${members} members, 4 in flight`,
  unit: "deliveries/s",
  better: "more",
  note: "one sender over tcp, all members online and spread over the nodes; latency is send→received",
  async measure(nodes, isQuick) {
    const conversation = "everybody";
    const names = Array.from({ length: members }, (_, index) => `m${index}`);
    await createGroup(nodes[0], conversation, ["sender", ...names]);
    const input: FanoutInput = {
      ...tcp(nodes),
      ...{ conversation, members, prefix: "m", sender: "sender", inFlight: 4, bodyBytes },
      ...(isQuick ? { warmMs: 500, measureMs: 1000 } : { warmMs: 1500, measureMs: 3000 }),
    };
    const { deliveriesPerSecond, received, repeated } = await play<FanoutResult>("fanout", input);
    return {
      value: deliveriesPerSecond,
      repeated,
      p50: received.p50,
      p99: received.p99,
      p999: received.p999,
    };
  },
};

const backlog: Cell = {
  scenario: "backlog",
  variant: `${(senders * messagesEach).toLocaleString("en")} messages`,
  unit: "s",
  better: "less",
  note: `of ${senders} senders on all nodes, read over tcp from one of them: from connecting to all acknowledged`,
  async measure(nodes) {
    const input: FillInput = { ...tcp(nodes), prefix: "", senders, messagesEach, bodyBytes };
    await play("fill", input);
    const reading: BacklogInput = { ...input, transport: "tcp", device: "d" };
    const { ms } = await play<{ ms: number }>("backlog", reading);
    return { value: ms / 1000 };
  },
};

const storm: Cell = {
  scenario: "storm",
  variant: `${stormCount.full} come back`,
  unit: "s",
  better: "less",
  note: `all nodes are killed and started, then everybody comes over tcp at once (with --quick ${stormCount.quick}): until the last one has signed in`,
  async measure(nodes, isQuick) {
    const count = isQuick ? stormCount.quick : stormCount.full;
    const input: StormInput = { ...tcp(nodes), prefix: "s", count };
    return withChild(loadProcess(), async (load) => {
      await load.call("returnAll", input);
      await Promise.all(nodes.map((node) => node.kill()));
      await Promise.all(nodes.map((node) => node.start()));
      const { connectedMs, connected } = (await load.call<StormResult>("returnAll", input)).result;
      return { value: connectedMs / 1000, p50: connected.p50, p99: connected.p99, p999: connected.p999 };
    });
  },
};

const idle: Cell = {
  scenario: "idle",
  variant: "websocket",
  unit: "bytes/connection",
  better: "less",
  note: `signed-in connections that do nothing: growth of the PSS of all nodes, garbage collected before and after, for each of ${idleCount.full} (with --quick ${idleCount.quick}, which says little)`,
  options: { settings: idleSettings, collectable: true },
  isOnce: true,
  async measure(nodes, isQuick) {
    const count = isQuick ? idleCount.quick : idleCount.full;
    const input: Omit<IdleInput, "count"> = {
      transport: "websocket",
      port: nodes[0].port,
      ports: nodes.map(({ port }) => port),
      trust: nodes[0].signer,
      prefix: "i",
    };
    return withChild(loadProcess(), async (load) => {
      await load.call("dial", { ...input, count: first });
      const before = await settled(nodes, isQuick ? 3000 : quietMs.before);
      await load.call("dial", { ...input, count });
      const after = await settled(nodes, isQuick ? 5000 : quietMs.after);
      await load.call("hangUp");
      const sum = (all: readonly Memory[]) => all.reduce((bytes, { pss }) => bytes + pss, 0);
      return { value: (sum(after) - sum(before)) / (count - first) };
    });
  },
};

export const cells: readonly Cell[] = [direct(1), direct(32), fanout, backlog, storm, idle];

async function play<R>(job: string, input: object): Promise<R> {
  return withChild(loadProcess(), async (load) => (await load.call<R>(job, input)).result);
}
