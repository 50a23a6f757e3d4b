import { randomBytes } from "node:crypto";
import { createGroup } from "../process/api.ts";
import type { Server } from "../process/server.ts";
import type { Endpoint, Transport } from "../wire/receiver.ts";
import { Device } from "./device.ts";
import { Ledger } from "./ledger.ts";
import type { Readers } from "./receipt-check.ts";
import { type Script, userId } from "./script.ts";
import { Seat } from "./seat.ts";
import { Tally } from "./tally.ts";

const transports: readonly Transport[] = ["websocket", "tcp", "poll"];
/** Every so many users have a second device, on another transport. */
const secondDeviceEvery = 10;
const ticksPerRound = 20;
const roundMs = 200;

/** All devices of all users of a script. */
export class Community {
  readonly script: Script;
  readonly ledger: Ledger;
  readonly tally: Tally;
  readonly devices: Device[] = [];
  /** By user. */
  readonly #devicesOf: Device[][] = [];
  /** Lines times devices that they go to. */
  readonly deliveries: number;
  #ticking: NodeJS.Timeout | undefined;

  /** `servers`: devices go to any of them, and to the next one with every new socket. */
  constructor(script: Script, servers: readonly [Server, ...Server[]]) {
    this.script = script;
    this.ledger = new Ledger(script);
    const memberships: number[][] = Array.from({ length: script.users }, () => []);
    script.groups.forEach(({ members }, group) => {
      for (const member of members) memberships[member]?.push(group);
    });
    const devicesOf = new Int32Array(script.groups.length);
    this.tally = new Tally(script, this.ledger, devicesOf);
    const readers: Map<number, Seat[]>[] = [];
    for (let user = 0; user < script.users; user++) {
      const own = new Map<number, Seat[]>();
      readers.push(own);
      this.#devicesOf.push([]);
      for (let side = 0; side < (user % secondDeviceEvery === 0 ? 2 : 1); side++) {
        this.#add(servers, user, side, memberships[user] ?? [], own, readers);
      }
      for (const [group, seats] of own) devicesOf[group] = (devicesOf[group] as number) + seats.length;
    }
    this.deliveries = script.lines.reduce((sum, { group }) => sum + (devicesOf[group] as number), 0);
  }

  #add(
    servers: readonly [Server, ...Server[]],
    user: number,
    side: number,
    groups: readonly number[],
    own: Map<number, Seat[]>,
    readers: Readers,
  ): void {
    const prefix = `${randomBytes(6).toString("base64url")}${side}`;
    const seats = new Map<number, Seat>();
    for (const group of groups) {
      const seat = new Seat(group, `g${group}`, this.ledger.numbering(prefix, user, group));
      seats.set(group, seat);
      own.set(group, [...(own.get(group) ?? []), seat]);
    }
    const transport = transports[(user + side) % transports.length] ?? "tcp";
    const device = new Device(
      {
        name: `${userId(user)}/d${side}`,
        user,
        endpoint: endpointOf(servers, transport, user + side),
        token: servers[0].token(userId(user)),
        device: `d${side}`,
        prefix,
        seats,
      },
      this.script,
      this.tally,
      readers,
    );
    this.devices.push(device);
    this.#devicesOf[user]?.push(device);
  }

  /** Makes the groups with all their members, as a customer's backend. */
  async createGroups(server: Server): Promise<void> {
    for (const { id, members } of this.script.groups) await createGroup(server, id, members.map(userId));
  }

  start(): void {
    for (const device of this.devices) device.connect();
    let turn = 0;
    this.#ticking = setInterval(() => {
      const nowMs = performance.now();
      turn = (turn + 1) % ticksPerRound;
      for (let i = turn; i < this.devices.length; i += ticksPerRound) this.devices[i]?.tick(nowMs);
    }, roundMs / ticksPerRound);
  }

  end(): void {
    clearInterval(this.#ticking);
    for (const device of this.devices) device.end();
  }

  get isLive(): boolean {
    return this.tally.liveCount === this.devices.length;
  }

  /** What is not there yet, in words. */
  missing(): string {
    const { tally, script, devices } = this;
    const away = devices.filter((device) => !device.isLive);
    return [
      `${tally.fed} of ${script.lines.length} messages said, ${tally.stored} stored, ${tally.pending} deliveries missing`,
      `${away.length} devices not live: ${away
        .slice(0, 10)
        .map((device) => device.describe())
        .join(", ")}`,
    ].join("; ");
  }

  /** A user says the line: hands it to one of the user's devices. */
  say(line: number): void {
    const { user, group, side } = this.script.lines[line] as Script["lines"][number];
    const devices = this.#devicesOf[user] ?? [];
    this.tally.fedAtMs[line] = performance.now();
    this.tally.fed++;
    devices[side % devices.length]?.say(group, line);
  }
}

/** Whoever asks for the port gets that of the next server: a long poll has two sockets, and so two servers. */
function endpointOf(servers: readonly [Server, ...Server[]], transport: Transport, first: number): Endpoint {
  let turn = first;
  return {
    transport,
    get port() {
      const { port, tcpPort } = servers[turn++ % servers.length] as Server;
      return transport === "tcp" ? tcpPort : port;
    },
  };
}
