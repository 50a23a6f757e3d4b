/** The generator of the counts: a process of its own, told which crowd to be. */
import { directConversationId } from "@hongyan/protocol";
import type { Trust } from "../load/client.ts";
import { Run } from "../load/run.ts";
import { serveJobs } from "../process/child.ts";
import { arrived } from "../wire/lean-socket.ts";
import type { Transport } from "../wire/receiver.ts";
import { Crowd, CrowdMember, type Roles } from "./crowd.ts";
import { HeldProcess } from "./held-process.ts";

export interface GatherInput {
  /** Everybody writes to a partner, or one to a group of all the others. */
  readonly shape: "pairs" | "group";
  readonly pid: number;
  readonly port: number;
  readonly tcpPort: number;
  readonly trust: Trust;
  readonly transport: Transport;
  /** Users of pairs, or readers of the group. */
  readonly users: number;
  /** User i is `<prefix><i>`, the sender of a group `<prefix>s`. */
  readonly prefix: string;
  /** The conversation of the group. */
  readonly conversation: string;
  readonly inFlight: number;
  readonly bodyBytes: number;
}

export interface Played {
  readonly deliveries: number;
  readonly frames: number;
  /** Bytes that came from the server. */
  readonly bytes: number;
}

let crowd: Crowd | undefined;

async function gather(input: GatherInput): Promise<void> {
  crowd?.close();
  const run = new Run();
  const roles = input.shape === "pairs" ? pairs(input, run) : group(input, run);
  crowd = new Crowd(run, roles, new HeldProcess(input.pid, [input.port, input.tcpPort]));
  await crowd.connected();
}

function pairs(input: GatherInput, run: Run): Roles {
  const members = Array.from({ length: input.users }, (_, index) => {
    const user = `${input.prefix}${index}`;
    const conversation = directConversationId(user, `${input.prefix}${index ^ 1}`);
    return member(input, user, conversation, run, input.transport);
  });
  const deliveries = members.length * input.inFlight;
  return {
    senders: members,
    readers: members,
    acknowledging: members,
    inFlight: input.inFlight,
    deliveries,
    receipts: members.length,
  };
}

function group(input: GatherInput, run: Run): Roles {
  const sender = member(input, `${input.prefix}s`, input.conversation, run, "tcp");
  const readers = Array.from({ length: input.users }, (_, index) =>
    member(input, `${input.prefix}${index}`, input.conversation, run, input.transport),
  );
  const { inFlight } = input;
  // Over long poll that is an exchange of its own, on a socket that may have to be opened anew: not to be counted on.
  const acknowledging = input.transport === "poll" ? [] : readers;
  return {
    senders: [sender],
    readers,
    acknowledging,
    inFlight,
    deliveries: readers.length * inFlight,
    receipts: acknowledging.length,
  };
}

function member(
  input: GatherInput,
  user: string,
  conversation: string,
  run: Run,
  transport: Transport,
): CrowdMember {
  const port = transport === "tcp" ? input.tcpPort : input.port;
  return new CrowdMember(
    { transport, port },
    { user, device: "d" },
    input.trust,
    run,
    conversation,
    input.bodyBytes,
  );
}

async function play({ rounds }: { rounds: number }): Promise<Played> {
  if (crowd === undefined) throw new Error("nobody is gathered");
  const before = { deliveries: crowd.deliveries, frames: crowd.frames, bytes: arrived.bytes };
  await crowd.play(rounds);
  return {
    deliveries: crowd.deliveries - before.deliveries,
    frames: crowd.frames - before.frames,
    bytes: arrived.bytes - before.bytes,
  };
}

serveJobs({ gather, play });
