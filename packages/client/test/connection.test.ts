import assert from "node:assert/strict";
import { test } from "node:test";
import { closeCodes, errors } from "@hongyan/protocol";
import type { ConnectionState } from "../src/api.ts";
import { type ConnectionEvent, nextState } from "../src/engine/connection-state.ts";
import type { NetworkHint } from "../src/ports.ts";
import { FakeNetwork } from "./support/fake-network.ts";
import { type Person, World } from "./support/world.ts";

function watch(person: Person): ConnectionState[] {
  const states: ConnectionState[] = [];
  person.client.on("state", (state) => states.push(state));
  return states;
}

function closeWith(world: World, user: string, name: keyof typeof closeCodes, retryAfterMs?: number): void {
  world.server.push(user, { type: "close", id: 0, code: closeCodes[name].code, reason: name, retryAfterMs });
}

test("every state answers every event", () => {
  const states: ConnectionState[] = [
    { status: "idle" },
    { status: "connecting", attempt: 0, transport: "t" },
    { status: "authenticating", attempt: 0, transport: "t" },
    { status: "syncing", transport: "t", session: "s" },
    { status: "live", transport: "t", session: "s" },
    { status: "waiting", attempt: 1, retryAt: 1, reason: "r" },
    { status: "stopped", reason: "stopped", message: "m" },
  ];
  const events: ConnectionEvent[] = [
    { type: "start", attempt: 0, transport: "t" },
    { type: "opened" },
    { type: "accepted", session: "s" },
    { type: "synced" },
    { type: "behind" },
    { type: "lost", attempt: 1, retryAt: 1, reason: "r" },
    { type: "due", attempt: 1, transport: "t" },
    { type: "stop", reason: "kicked", message: "m" },
  ];
  const row = (state: ConnectionState): string =>
    events.map((event) => nextState(state, event).status).join(" ");
  assert.deepEqual(states.map(row), [
    "connecting idle idle idle idle idle idle stopped",
    "connecting authenticating connecting connecting connecting waiting connecting stopped",
    "authenticating authenticating syncing authenticating authenticating waiting authenticating stopped",
    "syncing syncing syncing live syncing waiting syncing stopped",
    "live live live live syncing waiting live stopped",
    "connecting waiting waiting waiting waiting waiting connecting stopped",
    "connecting stopped stopped stopped stopped stopped stopped stopped",
  ]);
});

test("waits with full jitter: anywhere below a bound that doubles from 0.5 s to 30 s", async () => {
  const waits: number[][] = [];
  for (let i = 0; i < 20; i++) {
    const world = new World();
    for (let skip = 0; skip < i; skip++) world.person(`skip${skip}`);
    const alice = world.person("alice");
    alice.network.isDown = true;
    const states = watch(alice);
    await alice.client.start();
    await world.clock.advance(200_000);
    let at = 0;
    for (const state of states) {
      if (state.status !== "waiting") continue;
      waits[at] ??= [];
      waits[at++]?.push(state.retryAt);
    }
    // Turned from points in time into durations.
    const points = states.filter((state) => state.status === "waiting").map((state) => state.retryAt);
    points.forEach((point, n) => {
      const row = waits[n] as number[];
      row[row.length - 1] = point - (n === 0 ? 1_700_000_000_000 : (points[n - 1] as number));
    });
  }
  for (const [n, row] of waits.slice(0, 9).entries()) {
    const bound = Math.min(30_000, 500 * 2 ** n);
    assert.ok(
      row.every((wait) => wait >= 0 && wait <= bound + 1),
      `wait ${n + 1} is at most ${bound}: ${Math.max(...row)}`,
    );
    assert.ok(Math.max(...row) - Math.min(...row) > bound / 3, `wait ${n + 1} is spread`);
  }
});

test("a session that is resumed and has missed nothing is live without a sync", async () => {
  const world = new World();
  const alice = await world.live("alice");
  alice.network.cut();
  await world.clock.until(() => alice.client.state.status === "waiting", "lost");
  const before = alice.network.up.length;
  await world.clock.until(() => alice.client.state.status === "live", "live again");
  assert.deepEqual(
    alice.network.up.slice(before).map(({ type }) => type),
    ["connect"],
  );
  const connect = alice.network.up[before];
  assert.equal(connect?.type === "connect" && connect.resume, "session-1");
});

test("a resumed session that is behind reads what was missed; so does one that is told so", async () => {
  const world = new World();
  const alice = await world.live("alice");
  world.server.isBehind = true;
  alice.network.cut();
  world.server.append("alice:bob", "bob", "while away");
  await world.clock.until(() => alice.seen.length === 1, "seen");
  await world.clock.until(() => alice.client.state.status === "live", "live again");
  world.server.isPushing = false;
  world.server.append("alice:bob", "bob", "not pushed");
  world.server.push("alice", { type: "behind", id: 0 });
  await world.clock.until(() => alice.seen.length === 2, "seen");
});

test("what a close code advises is done", async () => {
  for (const [name, reason] of [
    ["replaced", "replaced"],
    ["kicked", "kicked"],
    ["unauthorized", "unauthorized"],
    ["bad_frame", "protocol"],
    ["version_unsupported", "protocol"],
  ] as const) {
    const world = new World();
    const alice = await world.live("alice");
    closeWith(world, "alice", name);
    await world.clock.advance(100_000);
    const { state } = alice.client;
    assert.equal(state.status === "stopped" && state.reason, reason);
    assert.equal(alice.network.opened, 1);
  }
  for (const name of ["going_away", "overloaded", "internal", "too_slow", "heartbeat_timeout"] as const) {
    const world = new World();
    const alice = await world.live("alice");
    closeWith(world, "alice", name, 20_000);
    await world.clock.advance(19_999);
    assert.equal(alice.network.opened, 1, `${name}: not before retryAfterMs`);
    await world.clock.until(() => alice.client.state.status === "live", "live again");
  }
});

test("close codes of the transport itself are honoured where no close frame came", async () => {
  const world = new World();
  const alice = await world.live("alice");
  alice.network.cut(closeCodes.kicked.code);
  assert.equal(alice.client.state.status, "stopped");
  void alice.client.start();
  await world.clock.until(() => alice.client.state.status === "live", "start() connects again");
});

test("an expired token is asked for again, at once; a plain string stops the client", async () => {
  const world = new World();
  let fetched = 0;
  const token = async (): Promise<string> => `token-${++fetched}`;
  world.server.tokens.set("token-2", "alice").set("token-3", "alice");
  const alice = await world.live("alice", { token });
  assert.equal(fetched, 2, "the first was refused, the second taken");
  await world.clock.advance(60_000);
  alice.network.cut();
  await world.clock.until(() => alice.network.opened === 3 && alice.client.state.status === "live", "live");
  assert.equal(fetched, 2, "a good token is kept");
  closeWith(world, "alice", "token_expired");
  await world.clock.until(() => fetched === 3 && alice.client.state.status === "live", "renewed");
  const bob = await world.live("bob");
  closeWith(world, "bob", "token_expired");
  await world.clock.settle();
  assert.deepEqual(bob.client.state.status === "stopped" && bob.client.state.reason, "token_expired");
});

test("a token function that fails is an attempt that failed", async () => {
  const world = new World();
  let isDown = true;
  world.server.tokens.set("good", "alice");
  const alice = world.person("alice", {
    token: async () => {
      if (isDown) throw new Error("the login service is down");
      return "good";
    },
  });
  await alice.client.start();
  await world.clock.advance(20_000);
  assert.equal(alice.client.state.status, "waiting");
  assert.match(alice.errors[0]?.message ?? "", /login service/);
  isDown = false;
  await world.clock.until(() => alice.client.state.status === "live", "live");
});

test("a token that is refused for good stops the client", async () => {
  const world = new World();
  world.server.refuse = (command) => (command.type === "connect" ? { code: "unauthorized" } : undefined);
  const alice = world.person("alice");
  await alice.client.start();
  await world.clock.settle();
  assert.equal(alice.client.state.status === "stopped" && alice.client.state.reason, "unauthorized");
});

test("admission that is closed for a moment is honoured", async () => {
  const world = new World();
  world.server.refuse = (command) =>
    command.type === "connect" ? { code: "overloaded", retryAfterMs: 5_000 } : undefined;
  const alice = world.person("alice");
  await alice.client.start();
  await world.clock.advance(4_999);
  assert.equal(alice.network.opened, 1);
  world.server.refuse = undefined;
  await world.clock.until(() => alice.client.state.status === "live", "live");
});

test("the data of one user are not shown to another", async () => {
  const world = new World();
  const alice = await world.live("alice");
  alice.client.send("alice:bob", "mine");
  await alice.client.stop();
  const bob = world.person("bob", { storage: alice.storage });
  await bob.client.start();
  await world.clock.advance(5_000);
  assert.equal(bob.client.state.status === "stopped" && bob.client.state.reason, "other_user");
  assert.ok(!bob.network.up.some(({ type }) => type === "send"));
});

test("a half-open connection is noticed: by a ping without an answer, and by silence", async () => {
  const world = new World();
  const alice = await world.live("alice");
  await world.clock.advance(300_000);
  assert.equal(alice.network.opened, 1, "a quiet connection stays");
  alice.network.isHalfOpen = true;
  await world.clock.advance(41_000);
  assert.notEqual(alice.client.state.status, "live", "30 s heartbeat and 10 s for the ping");
  alice.network.isHalfOpen = false;
  await world.clock.until(() => alice.client.state.status === "live", "live again");
});

test("sending into a half-open connection does not keep it alive, and nothing is lost", async () => {
  const world = new World();
  const alice = await world.live("alice");
  alice.network.isHalfOpen = true;
  for (let i = 0; i < 50; i++) {
    alice.client.send("alice:bob", `m${i}`);
    await world.clock.advance(1_000);
  }
  alice.network.isHalfOpen = false;
  await world.clock.until(() => alice.sent.length === 50, "all stored");
  assert.deepEqual(
    world.server.texts("alice:bob"),
    Array.from({ length: 50 }, (_, i) => `m${i}`),
  );
});

test("the network's return ends a wait at once, and makes a dead connection prove itself", async () => {
  const world = new World();
  let hint: (kind: NetworkHint) => void = () => undefined;
  const hints = {
    watch: (tell: typeof hint) => {
      hint = tell;
      return () => undefined;
    },
  };
  const alice = await world.live("alice", { hints });
  alice.network.isDown = true;
  alice.network.cut();
  await world.clock.advance(60_000);
  await world.clock.until(() => alice.client.state.status === "waiting", "waiting");
  alice.network.isDown = false;
  hint("online");
  await world.clock.settle();
  assert.equal(alice.client.state.status, "live");
  alice.network.isHalfOpen = true;
  hint("wake");
  await world.clock.advance(5_000);
  assert.notEqual(alice.client.state.status, "live");
});

test("a network that is said to be gone: what does not answer within 2 s is given up, what answers stays", async () => {
  const world = new World();
  let hint: (kind: NetworkHint) => void = () => undefined;
  const hints = {
    watch: (tell: typeof hint) => {
      hint = tell;
      return () => undefined;
    },
  };
  const alice = await world.live("alice", { hints });
  const status = () => alice.client.state.status;
  hint("offline");
  await world.clock.advance(2_000);
  assert.equal(status(), "live", "a server on this machine is still there");
  alice.network.isHalfOpen = true;
  hint("offline");
  await world.clock.advance(1_500);
  assert.equal(status(), "waiting");
  hint("offline");
  await world.clock.settle();
  assert.equal(status(), "waiting", "bad news is no reason to try");
  alice.network.isHalfOpen = false;
  hint("online");
  await world.clock.settle();
  assert.equal(status(), "live");
});

test("a page that goes away ends its session, stays away, and is there at once when it comes back", async () => {
  const world = new World();
  let hint: (kind: NetworkHint) => void = () => undefined;
  const hints = {
    watch: (tell: typeof hint) => {
      hint = tell;
      return () => undefined;
    },
  };
  const alice = await world.live("alice", { hints });
  const disconnects = () => world.server.commands.filter(({ type }) => type === "disconnect").length;
  hint("leave");
  await world.clock.settle();
  assert.equal(disconnects(), 1);
  await world.clock.advance(30_000);
  assert.equal(alice.client.state.status, "waiting");
  hint("leave");
  hint("wake");
  await world.clock.settle();
  assert.equal(alice.client.state.status, "live");
  assert.equal(disconnects(), 1);
});

test("a drain hint is followed in time", async () => {
  const world = new World();
  const alice = await world.live("alice");
  world.server.push("alice", { type: "drain", id: 0, reconnectInMs: 3_000 });
  await world.clock.advance(2_900);
  assert.equal(alice.network.opened, 1);
  await world.clock.advance(200);
  assert.equal(alice.network.opened, 2);
  assert.equal(alice.client.state.status, "live");
});

test("WebSocket that cannot be opened is given up for the next transport, and tried again later", async () => {
  const world = new World();
  const websocket = new FakeNetwork(world.server, "websocket");
  const poll = new FakeNetwork(world.server, "poll");
  websocket.isDown = true;
  const alice = await world.live("alice", { transports: [websocket, poll] });
  const transport = (): string => (alice.client.state.status === "live" ? alice.client.state.transport : "");
  assert.equal(transport(), "poll");
  await world.clock.advance(310_000);
  assert.equal(transport(), "poll", "still closed: nothing moves");
  assert.equal(poll.opened, 1, "and nothing was interrupted to find out");
  websocket.isDown = false;
  await world.clock.advance(310_000);
  assert.equal(transport(), "websocket");
});

test("a network that is down altogether does not lead away from WebSocket for long", async () => {
  const world = new World();
  const websocket = new FakeNetwork(world.server, "websocket");
  const poll = new FakeNetwork(world.server, "poll");
  websocket.isDown = poll.isDown = true;
  const alice = world.person("alice", { transports: [websocket, poll] });
  await alice.client.start();
  await world.clock.advance(600_000);
  websocket.isDown = poll.isDown = false;
  await world.clock.until(() => alice.client.state.status === "live", "live");
});

test("calls wait for the connection, survive its loss, and end in time", async () => {
  const world = new World();
  const alice = await world.live("alice");
  alice.network.dropNext("create.ok");
  const group = alice.client.createGroup({ name: "team", members: ["bob"] });
  await world.clock.settle();
  alice.network.cut();
  await world.clock.until(() => alice.client.state.status === "live", "live");
  assert.match(await group, /^g-/);
  world.server.refuse = (command) => (command.type === "members" ? { code: "forbidden" } : undefined);
  await assert.rejects(alice.client.members(await group).refresh(), { code: "forbidden" });
  alice.network.isDown = true;
  alice.network.cut();
  const lost = assert.rejects(alice.client.users(["bob"]), { code: "unavailable" });
  await world.clock.advance(20_000);
  await lost;
});

test("an unknown error code of a newer server is taken as a fault that may pass", async () => {
  const world = new World();
  const alice = await world.live("alice");
  const { code } = errors.internal;
  assert.equal(code, 15);
  world.server.refuse = (command) => (command.type === "send" ? { code: "internal" } : undefined);
  alice.client.send("alice:bob", "hello");
  await world.clock.advance(1_000);
  assert.equal(alice.failed.length, 0);
  world.server.refuse = undefined;
  await world.clock.until(() => alice.sent.length === 1, "stored");
});

test("stop ends the session, and start goes on where it was", async () => {
  const world = new World();
  const alice = await world.live("alice");
  await alice.client.stop();
  assert.equal(alice.network.up.at(-1)?.type, "disconnect");
  assert.equal(alice.client.state.status, "stopped");
  assert.throws(() => alice.client.send("alice:bob", "x"), { code: "unavailable" });
  world.server.append("alice:bob", "bob", "while away");
  await alice.client.start();
  await world.clock.until(() => alice.client.state.status === "live", "live");
  assert.deepEqual(alice.texts("alice:bob"), ["while away"]);
});

test("G5 a push that overtakes connect.ok is not acted upon: whose device this is is not known yet", async () => {
  const world = new World();
  const receive = world.server.receive.bind(world.server);
  world.server.receive = (peer, command) => {
    if (command.type === "connect") {
      const receipt = { conversation: "alice:bob", user: "alice", delivered: 3, read: 2, ordinal: 1 };
      peer.write({ type: "receipt", id: 0, ...receipt });
    }
    receive(peer, command);
  };
  const alice = await world.live("alice");
  const known = alice.client.conversation("alice:bob");
  assert.deepEqual([known?.delivered ?? 0, known?.seen ?? 0], [0, 0]);
});
