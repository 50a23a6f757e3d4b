import { type Marker, markedBody } from "../ledger/marker.ts";
import type { Action } from "../plan/plan.ts";
import { RawClient } from "./raw-client.ts";
import type { World } from "./world.ts";

type Of<K extends Action["kind"]> = Extract<Action, { kind: K }>;

/** Does what the plan says. What is impossible at the moment is left out: the plan does not know what will be. */
export function perform(world: World, action: Action): void {
  world.trace?.(`${(world.scheduler.now / 1000).toFixed(3)} ── ${JSON.stringify(action)}`);
  switch (action.kind) {
    case "send":
      return send(world, action);
    case "backendSend":
      return backendSend(world, action);
    case "read":
      return read(world, action);
    case "raw":
      return void repeat(world, action);
    case "member":
      return changeMember(world, action);
    case "leave":
    case "join":
    case "rename":
    case "older":
    case "create":
      return ask(world, action);
    case "crashServer":
      world.server.crash();
      world.scheduler.after(action.forMs, () => world.server.start());
      return;
    case "crashNode":
      return world.server.crashNode(action.node, action.forMs);
    case "cutBroker":
      return world.server.cutBroker(action.node, action.forMs);
    case "disk":
      world.disturb(action.conditions);
      world.scheduler.after(action.forMs, () => world.disturb(world.plan.disk));
      return;
    case "clock":
      if (action.device < 0) world.server.jumpClock(action.byMs);
      else deviceOf(world, action.device).skewMs += action.byMs;
      return;
    case "offline":
    case "crashDevice":
    case "restartDevice":
    case "cut":
    case "halfOpen":
    case "slow":
      return disturb(world, action);
  }
}

function deviceOf(world: World, index: number) {
  const device = world.devices[index];
  if (device === undefined) throw new Error(`the plan has no device ${index}`);
  return device;
}

function send(world: World, { device, conversation, bytes, count }: Of<"send">): void {
  const sender = deviceOf(world, device);
  // A burst in pieces: some of it within one tick, some across several.
  for (let i = 0; i < count; i++)
    world.scheduler.after(i % 4 === 0 ? i * 10 : (i - (i % 4)) * 10, () => sender.send(conversation, bytes));
}

function backendSend(world: World, { domain, conversation, from, times }: Of<"backendSend">): void {
  const backend = world.server.backend(domain);
  if (backend === undefined) return;
  const number = world.nextNumber();
  const marker: Marker = { domain, user: from, device: "backend", conversation, number, variant: 0 };
  const message = { conversation, from, clientMessageId: `backend-${number}`, body: markedBody(marker, 60) };
  for (let i = 0; i < times; i++) {
    backend.send(message).then(
      ({ seq }) => world.judge.told({ domain, user: from, device: "backend" }, marker, seq),
      () => {},
    );
  }
}

function read(world: World, { device, conversation, share }: Of<"read">): void {
  const reader = deviceOf(world, device);
  const known = reader.client?.conversation(conversation);
  if (known === undefined) return;
  reader.client?.markRead(conversation, Math.floor(known.read + (known.head - known.read) * share));
}

/** Says again what the user has said before, and the same id with other words. */
async function repeat(world: World, { domain, user, conversation }: Of<"raw">): Promise<void> {
  const random = world.random.fork(`raw ${world.nextNumber()}`);
  const encoding = random.pick(["messagepack", "json", "text"] as const);
  const client = new RawClient(world.network, { domain, user, device: "raw" }, encoding);
  const own = world.ledger
    .log(domain, conversation)
    .filter((entry) => entry.from === user && entry.marker !== undefined);
  const said = own.at(random.between(0, Math.max(0, own.length - 1)));
  if (said === undefined) {
    const number = world.nextNumber();
    const body = markedBody({ domain, user, device: "raw", conversation, number, variant: 0 }, 60);
    const command = { type: "send", conversation, clientMessageId: `raw-${number}`, body } as const;
    await Promise.all([client.ask(command), client.ask(command)]);
    return client.close();
  }
  const { clientMessageId, messageType, marker } = said;
  const type = messageType === "" ? undefined : messageType;
  const same = {
    type: "send",
    conversation,
    clientMessageId,
    messageType: type,
    body: Buffer.from(said.text),
  } as const;
  const other = { ...same, body: markedBody({ ...(marker as Marker), variant: 1 }, 60) };
  await Promise.all([client.ask(same), client.ask(other), client.ask(same)]);
  client.close();
}

function changeMember(world: World, { domain, conversation, user, change }: Of<"member">): void {
  const backend = world.server.backend(domain);
  if (backend === undefined) return;
  const done =
    change === "add"
      ? backend.addMembers(conversation, [{ user, role: "member" }])
      : backend.removeMember(conversation, user);
  Promise.resolve(done).catch(() => {});
}

function ask(world: World, action: Of<"leave" | "join" | "rename" | "older"> | Of<"create">): void {
  const { client, domain } = deviceOf(world, action.device);
  if (client === undefined) return;
  const { conversation } = action;
  const asked = (): Promise<unknown> => {
    switch (action.kind) {
      case "leave":
        return client.leave(conversation);
      case "join":
        return client.join(conversation);
      case "rename":
        return client.rename(conversation, `renamed ${world.nextNumber()}@${domain}`);
      case "older":
        return client.messages(conversation).loadOlder();
      case "create":
        return client.createGroup({
          conversation,
          members: action.members,
          name: `${conversation}@${domain}`,
          open: true,
        });
    }
  };
  // Refusals are part of life here; what they must not do is break a guarantee.
  asked().catch(() => {});
}

function disturb(
  world: World,
  action: Of<"offline" | "cut" | "halfOpen" | "slow"> | Of<"crashDevice" | "restartDevice">,
): void {
  const device = deviceOf(world, action.device);
  const { scheduler, network } = world;
  const links = network.links(device);
  switch (action.kind) {
    case "offline":
      network.setOffline(device, true);
      scheduler.after(action.forMs, () => network.setOffline(device, false));
      return;
    case "crashDevice":
      device.crash();
      scheduler.after(action.forMs, () => device.start());
      return;
    case "restartDevice":
      device.stop().then(
        () => scheduler.after(action.forMs, () => device.start()),
        (error: unknown) => world.judge.object("crash", `${device.key} could not stop: ${String(error)}`),
      );
      return;
    case "cut":
      for (const link of links) link.cut(action.clientAfterMs, action.serverAfterMs);
      return;
    case "slow":
    case "halfOpen": {
      const direction = action.kind === "slow" ? "down" : action.direction;
      const pipes = links.flatMap((link) =>
        direction === "both" ? [link.up, link.down] : [link[direction]],
      );
      for (const pipe of pipes) pipe.stall();
      scheduler.after(action.forMs, () => {
        for (const pipe of pipes) pipe.resume();
      });
      return;
    }
  }
}
