/** A process that asks one user's commands, over and over: the server's side of them is what is measured. */
import { serveJobs } from "../process/child.ts";
import { type Asked, Commander, type Seat } from "./commander.ts";

/** Unanswered commands: enough for group commits of some size. */
const window = 64;
const body = new Uint8Array(200).fill(0x68);

let commander: Commander | undefined;
let sent = 0;
/** Client message ids of different processes must differ. */
const prefix = `g${process.pid}`;

function present(): Commander {
  if (commander === undefined) throw new Error("nobody is signed in");
  return commander;
}

/** Signs in; `ms` from the first packet until everything was read and acknowledged. */
async function open(seat: Seat): Promise<{ ms: number; messages: number }> {
  const startMs = performance.now();
  commander = await Commander.open(seat);
  return { ms: performance.now() - startMs, messages: commander.messages };
}

async function close(): Promise<void> {
  present().close();
  commander = undefined;
}

function message(conversation: string): Asked {
  return { type: "send", conversation, clientMessageId: `${prefix}:${++sent}`, body };
}

async function send({ conversation, ms }: { conversation: string; ms: number }): Promise<{ count: number }> {
  return { count: await present().pipeline({ window, ms }, () => message(conversation)) };
}

/** One message to each of these conversations, all acknowledged by this device and read. */
async function sendToEach({ conversations }: { conversations: readonly string[] }): Promise<void> {
  const client = present();
  await client.pipeline({ window, count: conversations.length }, (at) => message(conversations[at] ?? ""));
  const pages = Array.from({ length: Math.ceil(conversations.length / pageSize) }, (_, at) =>
    conversations.slice(at * pageSize, (at + 1) * pageSize).map((name) => [name, 1] as const),
  );
  await client.pipeline({ window: 1, count: pages.length }, (at) => ({
    type: "ack",
    positions: pages[at] ?? [],
  }));
  await client.pipeline({ window: 1, count: pages.length }, (at) => ({
    type: "read",
    positions: pages[at] ?? [],
  }));
}

const pageSize = 400;

/** Acknowledges one message after the other, those from seq `from + 1` on. */
async function ack({ conversation, from, count }: { conversation: string; from: number; count: number }) {
  await present().pipeline({ window, count }, (at) => ({
    type: "ack",
    positions: [[conversation, from + 1 + at]],
  }));
}

/** Adds a member and removes it again, over and over; counts both. */
async function change({ conversation, user, ms }: { conversation: string; user: string; ms: number }) {
  const count = await present().pipeline({ window: 1, ms }, (at) => ({
    type: at % 2 === 0 ? "add" : "remove",
    conversation,
    users: [user],
  }));
  return { count };
}

export type Timed = Extract<Asked, { type: "history" | "list" }>;

/** Asks the same command several times, one at a time; milliseconds of each. */
async function time({ command, times }: { command: Timed; times: number }): Promise<{ ms: number[] }> {
  const client = present();
  const all: number[] = [];
  for (let at = 0; at < times; at++) {
    const startMs = performance.now();
    await client.ask(command);
    all.push(performance.now() - startMs);
  }
  return { ms: all };
}

serveJobs({ open, close, send, sendToEach, ack, change, time });
