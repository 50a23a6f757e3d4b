/**
 * Two entry machines, three nodes, and people who write all the time through the address that moves, each by another
 * transport. One entry fails, then the other; then all nodes are started anew, one after another. Run inside a world (`runInWorld`); prints what happened, and fails where anything was lost, came twice or
 * in another order.
 */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { LaunchedServer } from "@hongyan/testkit";
import { Cluster } from "../cluster.ts";
import { Machine, type MachineOptions } from "./machine.ts";
import { clientAddress, entryAddress } from "./world.ts";
import { Writer } from "./writer.ts";

const group = "travellers";
const writeEveryMs = 100;
const calmMs = 2_000;
const patienceMs = 60_000;
/** `fail_timeout` of Nginx: so long it leaves out a node that has refused. */
const failTimeoutMs = 5_000;

// Whoever started us is gone.
process.stdin.resume().on("end", () => process.exit(1));

const { nodes } = await Cluster.start(3, {}, clientAddress);
const writers = people(nodes[0] as LaunchedServer);
const [owner, ...others] = writers;
assert.ok(owner);
const [first, second] = await bootMachines(nodes);
for (const machine of [first, second]) {
  await machine.startNginx();
  machine.startKeepalived();
}
await until(() => first.isEntry(), "the first machine takes the address");

await Promise.all(writers.map(({ client }) => client.start()));
await until(() => writers.every(({ isLive }) => isLive), "everybody is connected");
await owner.client.createGroup({ conversation: group, members: others.map(({ user }) => user) });
await until(
  () => writers.every(({ client }) => client.conversation(group) !== undefined),
  "all have the group",
);
const writing = setInterval(() => {
  for (const writer of writers) writer.write(group);
}, writeEveryMs);

await pause(calmMs);
assert.ok(await first.isEntry());
await disturb("Nginx is killed", () => first.killNginx(), second);
await first.startNginx();
await pause(2 * calmMs);
assert.equal(
  await first.isEntry(),
  false,
  "the address stays where it is when the first machine is well again",
);
await disturb("the machine dies", () => second.die(), first);
await disturb("all nodes are started anew, one after another", restartNodes);
await pause(calmMs);

clearInterval(writing);
const total = writers.reduce((sum, { said }) => sum + said, 0);
await until(
  () => writers.every(({ acknowledged, said, shown }) => acknowledged.size === said && shown.length >= total),
  "everything is acknowledged and shown",
);
verify(owner, total);
console.log(`${total} messages of ${writers.length} people: none lost, none twice, one order`);
await Promise.all(writers.map(({ client }) => client.stop()));
process.exit(0);

async function bootMachines(cluster: readonly LaunchedServer[]): Promise<[Machine, Machine]> {
  const addresses = ["198.18.0.21", "198.18.0.22"] as const;
  const options = { nodes: cluster, certificates: join(tmpdir(), "tls") };
  return [
    await boot({
      ...options,
      name: "entry1",
      priority: 100,
      address: addresses[0],
      peerAddress: addresses[1],
    }),
    await boot({
      ...options,
      name: "entry2",
      priority: 90,
      address: addresses[1],
      peerAddress: addresses[0],
    }),
  ];
}

/** The files of `deploy/`, with these addresses, are accepted by the programs themselves. */
async function boot(options: MachineOptions): Promise<Machine> {
  const machine = await Machine.boot(options);
  await machine.run("nginx", "-t");
  await machine.run("keepalived", "--config-test");
  return machine;
}

function people(server: LaunchedServer): Writer[] {
  const web = `http://${entryAddress}`;
  const person = (user: string, url: string, transport: "websocket" | "poll" | "stream" | "auto") =>
    new Writer({ user, url, token: server.token(user), transport });
  return [
    person("websocket", web, "websocket"),
    person("tls", `https://${entryAddress}`, "websocket"),
    person("tcp", `tcp://${entryAddress}:7800`, "auto"),
    person("poll", web, "poll"),
    person("stream", web, "stream"),
  ];
}

/** Does something bad; resolves when `heir`, if there is one, has the address, and everybody is heard again. */
async function disturb(what: string, fault: () => Promise<void>, heir?: Machine): Promise<void> {
  for (const writer of writers) writer.takeSilentMs();
  const brokenAtMs = performance.now();
  await fault();
  if (heir !== undefined) await until(() => heir.isEntry(), `${heir.name} takes the address`);
  const settledAtMs = performance.now();
  await until(
    () => writers.every((writer) => writer.isLive && writer.wasHeardSince(settledAtMs)),
    "everybody is back",
  );
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const moved = heir === undefined ? "" : `the address moved after ${seconds(settledAtMs - brokenAtMs)}; `;
  const gaps = writers.map((writer) => `${writer.user} ${seconds(writer.takeSilentMs())}`);
  console.log(`${what}: ${moved}longest time without an acknowledgement: ${gaps.join(", ")}`);
}

/** As an upgrade does: each drains, and the next one is left alone until Nginx asks this one again. */
async function restartNodes(): Promise<void> {
  for (const node of nodes) {
    assert.equal(await node.stop(), 0, "a node stops in order");
    await node.start();
    await pause(failTimeoutMs);
  }
}

/** G1 to G4, for everybody. */
function verify(owner: Writer, total: number): void {
  const truth = owner.shown;
  for (const { user, shown, acknowledged, faults } of writers) {
    assert.deepEqual(faults, [], user);
    assert.equal(shown.length, total, `${user} was shown every message, and none twice`);
    assert.deepEqual(shown, truth, `${user} was shown the one order`);
    const seqs = new Map(shown.map(({ text, seq }) => [text, seq]));
    for (const [text, seq] of acknowledged) assert.equal(seqs.get(text), seq, `acknowledged: ${text}`);
  }
  for (const { user, said } of writers)
    assert.deepEqual(
      truth.map(({ text }) => text).filter((text) => text.startsWith(`${user} `)),
      Array.from({ length: said }, (_, n) => `${user} ${n + 1}`),
      `what ${user} wrote is in its order`,
    );
  const seqs = truth.map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    seqs.toSorted((a, b) => a - b),
  );
}

async function until(is: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await is())) {
    if (performance.now() > endMs)
      throw new Error(`not within ${patienceMs / 1000} s: ${what}\n${describe()}`);
    await pause(50);
  }
}

function describe(): string {
  const states = writers.map(
    ({ user, client, said, acknowledged, shown, faults }) =>
      `${user}: ${JSON.stringify(client.state)}, wrote ${said}, acknowledged ${acknowledged.size}, shown ${shown.length}, ${faults.join()}`,
  );
  return [...states, first.name, first.said, second.name, second.said].join("\n");
}
