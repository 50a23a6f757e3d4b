import { directConversationId } from "@hongyan/protocol";
import { calmDisk, type DiskConditions } from "../disk/disk.ts";
import { drawConditions } from "../network/conditions.ts";
import { SeededRandom } from "../seeded-random.ts";
import type { Mask } from "./mask.ts";
import type { Action, Plan, PlannedDevice, PlannedGroup } from "./plan.ts";

const names = ["alice", "bob", "carol", "dave"];

/** The plan of a seed. The same mask of the same seed is the same plan, on every machine. */
export function drawPlan(seed: number, mask: Mask): Plan {
  const random = new SeededRandom(`seed ${seed}`);
  const topology = random.fork("topology");
  const durationMs = topology.between(8_000, 40_000);
  const domains = topology.chance(0.5) ? ["acme", "beta"] : ["acme"];
  const devices = domains.flatMap((domain) => drawDevices(topology, domain, durationMs, domains.length));
  const groups = domains.flatMap((domain) => drawGroups(topology, domain, devices));
  const outboxBytesMax = topology.pick([2_000, 4_000, 16_000]);
  const cluster = drawCluster(random.fork("cluster"), mask.nodes);
  const actions = [
    ...drawWork(random.fork("work"), devices, groups, durationMs),
    ...drawFaults(random.fork("faults"), devices, durationMs),
    ...drawContests(random.fork("contests"), cluster.nodes, devices, groups, durationMs),
    ...drawNodeFaults(random.fork("node faults"), cluster.nodes, devices, durationMs),
  ];
  actions.sort((one, other) => one.atMs - other.atMs);
  return {
    seed,
    domains,
    devices: devices.map((device, index) => ({
      ...device,
      isAbsent: mask.devices?.includes(index) === false,
    })),
    groups,
    ...cluster,
    conditions: drawConditions(random.fork("network"), mask.without),
    disk: { ...calmDisk, latencyMsMax: topology.pick([1, 3, 20, 100]) },
    outboxBytesMax,
    outboxBytesClose: outboxBytesMax * 8,
    sessionGraceMs: topology.pick([0, 5_000, 60_000]),
    actions: mask.actions === undefined ? actions : mask.actions.flatMap((index) => actions[index] ?? []),
    actionsDrawn: actions.length,
    durationMs,
  };
}

/** Two of three seeds have one server: everything but what lies between servers is as likely there, and faster. */
function drawCluster(
  random: SeededRandom,
  wanted: number | undefined,
): Pick<Plan, "nodes" | "broker" | "repairEveryMs" | "storeLatencyMsMax"> {
  const nodes = random.chance(0.35) ? random.between(2, 3) : 1;
  const broker = {
    isDirect: random.chance(0.7),
    latencyMsMax: random.pick([1, 5, 100]),
    drop: random.pick([0, 0.05, 0.3]),
    duplicate: random.pick([0, 0.1]),
    hold: random.pick([0, 0, 0.1]),
    holdMsMax: random.pick([200, 6_000]),
  };
  return {
    nodes: wanted ?? nodes,
    broker,
    repairEveryMs: random.pick([2_000, 10_000]),
    storeLatencyMsMax: random.pick([0, 2, 30]),
  };
}

/** Somebody is removed and writes on at the same moment, perhaps through a server that has not heard of it. */
function drawContests(
  random: SeededRandom,
  nodes: number,
  devices: readonly PlannedDevice[],
  groups: readonly PlannedGroup[],
  durationMs: number,
): Action[] {
  if (nodes === 1 || random.chance(0.5)) return [];
  const actions: Action[] = [];
  for (let i = random.between(1, 6); i > 0; i--) {
    const device = random.between(0, devices.length - 1);
    const { domain, user } = devices[device] as PlannedDevice;
    const group = random.pick(groups.filter((one) => one.domain === domain && one.members.includes(user)));
    if (group === undefined) continue;
    const { conversation } = group;
    const atMs = random.between(0, durationMs);
    const change = (later: number, to: "add" | "remove"): Action => ({
      atMs: atMs + later,
      kind: "member",
      change: to,
      domain,
      conversation,
      user,
    });
    actions.push(change(0, "remove"));
    for (let sends = random.between(1, 4); sends > 0; sends--)
      actions.push({
        atMs: atMs + random.between(0, 800),
        kind: "send",
        device,
        conversation,
        bytes: 60,
        count: random.pick([1, 2, 5]),
      });
    if (random.chance(0.7)) actions.push(change(random.pick([1, 50, 1_000]), "add"));
  }
  return actions;
}

/** What befalls one of several servers, and devices that are moved from one to another. */
function drawNodeFaults(
  random: SeededRandom,
  nodes: number,
  devices: readonly PlannedDevice[],
  durationMs: number,
): Action[] {
  if (nodes === 1) return [];
  const actions: Action[] = [];
  for (const kind of ["crashNode", "cutBroker"] as const) {
    if (random.chance(0.5)) continue;
    for (let i = random.between(1, 3); i > 0; i--) {
      const forMs = random.pick([50, 500, 4_000]);
      actions.push({ atMs: random.between(0, durationMs), kind, node: random.between(0, nodes - 1), forMs });
    }
  }
  // The device goes on at once; the server it was on may believe in its old connection for a while.
  const move = (atMs: number, serverAfterMs: number): Action => {
    const device = random.between(0, devices.length - 1);
    return { atMs, kind: "cut", device, clientAfterMs: 0, serverAfterMs };
  };
  if (random.chance(0.3)) return actions;
  for (let i = random.between(1, 8); i > 0; i--)
    actions.push(move(random.between(0, durationMs), random.pick([0, 0, 5_000, 60_000])));
  // What is left behind just before the faults stop must be tidied up after them.
  if (random.chance(0.5)) actions.push(move(durationMs - random.between(0, 2_000), 60_000));
  return actions;
}

function drawDevices(
  random: SeededRandom,
  domain: string,
  durationMs: number,
  domains: number,
): PlannedDevice[] {
  const users = names.slice(0, random.between(2, domains === 1 ? 4 : 3));
  return users.flatMap((user) => {
    const count = random.pick(domains === 1 ? [1, 1, 2, 3] : [1, 1, 2]);
    return ["phone", "laptop", "tablet"].slice(0, count).map((device, index) => ({
      domain,
      user,
      device,
      encoding: random.pick(["messagepack", "messagepack", "json"] as const),
      startsAtMs: index > 0 && random.chance(0.4) ? random.between(0, durationMs) : random.between(0, 500),
      handlerMsMax: random.pick([0, 0, 5, 400]),
      isAbsent: false,
    }));
  });
}

function drawGroups(random: SeededRandom, domain: string, devices: readonly PlannedDevice[]): PlannedGroup[] {
  const users = usersOf(devices, domain);
  const group = (conversation: string, members: readonly string[]): PlannedGroup => ({
    domain,
    conversation,
    open: random.chance(0.5),
    members,
  });
  const groups = [group("team", users)];
  if (random.chance(0.5))
    groups.push(group("side", users.filter(() => random.chance(0.7)).concat(users[0] ?? [])));
  return groups.map((one) => ({ ...one, members: [...new Set(one.members)] }));
}

function usersOf(devices: readonly PlannedDevice[], domain: string): string[] {
  return [...new Set(devices.filter((device) => device.domain === domain).map((device) => device.user))];
}

/** What people do. Bursts and pauses: most of what goes wrong needs several things under way at once. */
function drawWork(
  random: SeededRandom,
  devices: readonly PlannedDevice[],
  groups: readonly PlannedGroup[],
  durationMs: number,
): Action[] {
  const actions: Action[] = [];
  const bodyBytes = random.pick([60, 60, 300, 2_000]);
  const changesMembers = random.chance(0.4);
  const count = random.between(8, 45);
  for (let i = 0; i < count; i++) {
    const atMs = random.between(0, durationMs);
    const device = random.between(0, devices.length - 1);
    const { domain, user } = devices[device] as PlannedDevice;
    const conversation = drawConversation(random, domain, user, devices, groups);
    const group = random.pick(groups.filter((one) => one.domain === domain));
    const dice = random.fraction();
    if (dice < 0.5)
      actions.push({
        atMs,
        kind: "send",
        device,
        conversation,
        bytes: bodyBytes,
        count: random.pick([1, 1, 2, 5, 20]),
      });
    else if (dice < 0.65)
      actions.push({ atMs, kind: "read", device, conversation, share: random.pick([0.3, 0.7, 1, 1]) });
    else if (dice < 0.72) actions.push({ atMs, kind: "raw", domain, user, conversation });
    else if (dice < 0.78)
      actions.push({
        atMs,
        kind: "backendSend",
        domain,
        conversation,
        from: user,
        times: random.pick([1, 2]),
      });
    else if (dice < 0.84) actions.push({ atMs, kind: "older", device, conversation });
    else if (dice < 0.87) actions.push({ atMs, kind: "rename", device, conversation: group.conversation });
    else if (!changesMembers) continue;
    else if (dice < 0.93) {
      const change = random.pick(["add", "remove"] as const);
      const who = random.pick(usersOf(devices, domain));
      actions.push({ atMs, kind: "member", change, domain, conversation: group.conversation, user: who });
    } else if (dice < 0.96)
      actions.push({
        atMs,
        kind: random.pick(["leave", "join"] as const),
        device,
        conversation: group.conversation,
      });
    else
      actions.push({
        atMs,
        kind: "create",
        device,
        conversation: `club${random.between(1, 2)}`,
        members: usersOf(devices, domain),
      });
  }
  return actions;
}

function drawConversation(
  random: SeededRandom,
  domain: string,
  user: string,
  devices: readonly PlannedDevice[],
  groups: readonly PlannedGroup[],
): string {
  const own = groups.filter((group) => group.domain === domain && group.members.includes(user));
  const others = usersOf(devices, domain).filter((other) => other !== user);
  if (own.length > 0 && (others.length === 0 || random.chance(0.5))) return random.pick(own).conversation;
  return directConversationId(user, random.pick(others));
}

/** What befalls them. A seed has a few kinds of fault, or none. */
function drawFaults(random: SeededRandom, devices: readonly PlannedDevice[], durationMs: number): Action[] {
  if (random.chance(0.2)) return [];
  const kinds = (
    [
      "offline",
      "crashDevice",
      "restartDevice",
      "crashServer",
      "cut",
      "halfOpen",
      "slow",
      "clock",
      "disk",
    ] as const
  ).filter(() => random.chance(0.4));
  const actions: Action[] = [];
  for (const kind of kinds) {
    for (let i = random.between(1, kind === "crashServer" || kind === "cut" ? 4 : 3); i > 0; i--) {
      const atMs = random.between(0, durationMs);
      const device = random.between(0, devices.length - 1);
      const forMs = random.pick([50, 500, 4_000, 15_000]);
      if (kind === "crashServer") actions.push({ atMs, kind, forMs: Math.min(forMs, 4_000) });
      else if (kind === "cut")
        actions.push({
          atMs,
          kind,
          device,
          clientAfterMs: random.pick([0, 50, 5_000]),
          serverAfterMs: random.pick([0, 50, 60_000]),
        });
      else if (kind === "halfOpen")
        actions.push({ atMs, kind, device, direction: random.pick(["up", "down", "both"]), forMs });
      else if (kind === "clock")
        actions.push({ atMs, kind, device: random.between(-1, devices.length - 1), byMs: drawJump(random) });
      else if (kind === "disk") actions.push({ atMs, kind, forMs, conditions: drawDisk(random) });
      else actions.push({ atMs, kind, device, forMs });
    }
  }
  return actions;
}

function drawJump(random: SeededRandom): number {
  return random.pick([-86_400_000, -60_000, -1_000, 1_000, 60_000, 3_600_000]);
}

function drawDisk(random: SeededRandom): DiskConditions {
  return { latencyMsMin: 0, latencyMsMax: random.pick([5, 200, 2_000]), fail: random.pick([0, 0.1, 0.5]) };
}
