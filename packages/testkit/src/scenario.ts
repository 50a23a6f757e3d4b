/**
 * The simulated world for tests that are written by hand:
 *
 *     const { alice, bob, network } = await world(7);
 *     network.drop("ack");
 *     await alice.send("team", "hi");
 *     await bob.sees("hi");
 *
 * Waiting moves virtual time: nothing sleeps, and the same seed goes the same way. All checkers watch; what they
 * object to fails whatever is being waited for.
 */

import type { Client, MessageStatus, MessagesView } from "@hongyan/client";
import type { Settings } from "@hongyan/core";
import { compare, unrest } from "./checkers/convergence.ts";
import { calmDisk } from "./disk/disk.ts";
import { markerText } from "./ledger/marker.ts";
import { type Conditions, calm } from "./network/conditions.ts";
import type { Network } from "./network/network.ts";
import type { BrokerConditions, Plan } from "./plan/plan.ts";
import { plantNamed } from "./plants/plants.ts";
import type { Cluster } from "./world/cluster.ts";
import type { Device } from "./world/device.ts";
import { calmBroker } from "./world/sim-broker.ts";
import { World } from "./world/world.ts";

const domain = "main";
const patienceMs = 180_000;

export interface ScenarioOptions {
  /** Devices by user. Default: alice and bob with a phone each. The first device of a user speaks for it. */
  readonly devices?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Members by group. Default: `team`, with everybody. */
  readonly groups?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Devices that do not start by themselves, as `user/device`. */
  readonly asleep?: readonly string[] | undefined;
  /** How long applications take for a message at most, by `user/device`. */
  readonly handlerMsMax?: Readonly<Record<string, number>> | undefined;
  readonly conditions?: Partial<Conditions> | undefined;
  /** Servers on one store; the devices are spread over them. Default: one. */
  readonly nodes?: number | undefined;
  readonly broker?: Partial<BrokerConditions> | undefined;
  readonly settings?: Partial<Settings> | undefined;
  readonly plant?: string | undefined;
  readonly trace?: ((line: string) => void) | undefined;
}

/** One device and whoever holds it. */
export class Person {
  readonly device: Device;
  readonly #scenario: Scenario;
  readonly #views = new WeakMap<Client, Map<string, MessagesView>>();
  readonly #statuses = new Map<string, MessageStatus[]>();
  #number = 0;

  constructor(scenario: Scenario, device: Device) {
    this.#scenario = scenario;
    this.device = device;
  }

  /** Queues a message; returns at once. */
  says(conversation: string, text: string): void {
    const { client, user, device } = this.device;
    const marker = markerText({ domain, user, device, conversation, number: ++this.#number, variant: 0 });
    client?.send(conversation, `${text} ${marker}`);
  }

  /** Sends a message and waits until this device knows that it is stored. */
  async send(conversation: string, text: string): Promise<void> {
    this.says(conversation, text);
    await this.#scenario.until(() => this.status(conversation, text) !== "queued", `${text} is stored`);
  }

  /** Waits until the application has been handed the message. */
  async sees(text: string): Promise<void> {
    await this.#scenario.until(() => this.shown(text) > 0, `${this.device.key} sees ${text}`);
  }

  /** How often the application has been handed the message. */
  shown(text: string): number {
    return this.device.handed.filter((body) => body.startsWith(`${text} `)).length;
  }

  /** Waits until an own message shows `status`. */
  async showsStatus(conversation: string, text: string, status: MessageStatus): Promise<void> {
    await this.#scenario.until(() => this.status(conversation, text) === status, `${text} is ${status}`);
  }

  /** How far an own message is, as a chat view shows it. */
  status(conversation: string, text: string): MessageStatus | undefined {
    const { messages } = this.#view(conversation).snapshot;
    return messages.find((message) => message.text?.startsWith(`${text} `))?.status;
  }

  /** Every status that an own message was shown with, in order; only once somebody has asked for its status. */
  statuses(text: string): readonly MessageStatus[] {
    return this.#statuses.get(text) ?? [];
  }

  #note(view: MessagesView): void {
    for (const { own, text, status } of view.snapshot.messages) {
      if (!own || text === undefined) continue;
      const statuses = this.#statuses.getOrInsertComputed(text.slice(0, text.indexOf(" [[")), () => []);
      if (statuses.at(-1) !== status) statuses.push(status);
    }
  }

  /** A view shows something only while somebody looks. */
  #view(conversation: string): MessagesView {
    const { client } = this.device;
    if (client === undefined) throw new Error(`${this.device.key} is not running`);
    const views = this.#views.getOrInsertComputed(client, () => new Map());
    return views.getOrInsertComputed(conversation, () => {
      const view = client.messages(conversation);
      view.subscribe(() => this.#note(view));
      return view;
    });
  }

  unread(conversation: string): number {
    return this.device.client?.conversation(conversation)?.unread ?? 0;
  }
}

/** A world and its people. */
export class Scenario {
  readonly world: World;
  readonly #people: readonly Person[];

  constructor(world: World) {
    this.world = world;
    this.#people = world.devices.map((device) => new Person(this, device));
  }

  get network(): Network {
    return this.world.network;
  }

  get server(): Cluster {
    return this.world.server;
  }

  /** A user's first device, or the one that is named. */
  person(user: string, device?: string): Person {
    for (const person of this.#people) {
      if (person.device.user === user && (device === undefined || person.device.device === device))
        return person;
    }
    throw new Error(`nobody is called ${user}${device === undefined ? "" : ` and has a ${device}`}`);
  }

  get alice(): Person {
    return this.person("alice");
  }

  get bob(): Person {
    return this.person("bob");
  }

  /** Lets virtual time pass. */
  async pass(ms: number): Promise<void> {
    await this.world.run(this.world.scheduler.now + ms);
    this.#check();
  }

  /** Lets virtual time pass until `holds`. */
  async until(holds: () => boolean, what: string): Promise<void> {
    const { world } = this;
    await world.run(world.scheduler.now + patienceMs, Number.POSITIVE_INFINITY, holds);
    this.#check();
    if (!holds())
      throw new Error(`waited ${patienceMs / 1000} s of virtual time, and still it is not so: ${what}`);
  }

  /** Awaits a promise of the production code while time passes. */
  async settled<T>(work: Promise<T>, what: string): Promise<T> {
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    work.then(
      (value) => {
        outcome = { value };
      },
      (error: unknown) => {
        outcome = { error };
      },
    );
    await this.until(() => outcome !== undefined, what);
    if (outcome !== undefined && "value" in outcome) return outcome.value;
    throw (outcome as { readonly error: unknown }).error;
  }

  /** Ends all faults, waits for rest and compares everybody with the log. */
  async converges(): Promise<void> {
    this.world.heal();
    await this.until(() => unrest(this.world) === undefined, "everybody has everything");
    await this.pass(3_000);
    await compare(this.world);
    this.#check();
  }

  close(): void {
    this.world.close();
  }

  #check(): void {
    const { objection } = this.world;
    if (objection !== undefined) throw new Error(`${objection.guarantee}: ${objection.text}`);
  }
}

/** A calm world, ready: the server is up, users and groups exist, devices are connected and have what there is. */
export async function world(seed: number, options: ScenarioOptions = {}): Promise<Scenario> {
  const plan = planOf(seed, options);
  const simulated = new World(
    plan,
    options.plant === undefined ? undefined : plantNamed(options.plant),
    options.settings,
  );
  simulated.trace = options.trace;
  const scenario = new Scenario(simulated);
  const { server } = simulated;
  server.start();
  await scenario.until(() => server.isUp, "the server is up");
  const backend = server.backend(domain);
  if (backend === undefined) throw new Error("the server is not up");
  for (const user of new Set(plan.devices.map(({ user }) => user))) {
    await scenario.settled(backend.putUser({ user, name: `${user}@${domain}` }), `${user} exists`);
  }
  for (const { conversation, members } of plan.groups) {
    const roles = members.map((user, i) => ({
      user,
      role: i === 0 ? ("owner" as const) : ("member" as const),
    }));
    await scenario.settled(
      backend.createConversation({ conversation, name: `${conversation}@${domain}`, members: roles }),
      `${conversation} exists`,
    );
  }
  const awake = simulated.devices.filter(
    ({ user, device }) => options.asleep?.includes(`${user}/${device}`) !== true,
  );
  for (const device of awake) device.start();
  await scenario.until(
    () => awake.every((device) => device.client?.state.status === "live"),
    "everybody is live",
  );
  // What was there when they came is acknowledged: counting starts from a quiet world.
  await scenario.pass(2_000);
  return scenario;
}

function planOf(seed: number, options: ScenarioOptions): Plan {
  const devices = options.devices ?? { alice: ["phone"], bob: ["phone"] };
  const users = Object.keys(devices);
  const groups = options.groups ?? { team: users };
  return {
    seed,
    domains: [domain],
    devices: Object.entries(devices).flatMap(([user, names]) =>
      names.map((device) => ({
        domain,
        user,
        device,
        encoding: "messagepack" as const,
        startsAtMs: 0,
        isAbsent: false,
        handlerMsMax: options.handlerMsMax?.[`${user}/${device}`] ?? 0,
      })),
    ),
    groups: Object.entries(groups).map(([conversation, members]) => ({
      domain,
      conversation,
      open: false,
      members,
    })),
    nodes: options.nodes ?? 1,
    broker: { ...calmBroker, ...options.broker },
    repairEveryMs: 10_000,
    storeLatencyMsMax: 1,
    conditions: { ...calm, ...options.conditions },
    disk: calmDisk,
    outboxBytesMax: 100_000,
    outboxBytesClose: 1_000_000,
    sessionGraceMs: 60_000,
    actions: [],
    actionsDrawn: 0,
    durationMs: 0,
  };
}
