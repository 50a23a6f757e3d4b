/**
 * The golden vectors of what nodes tell each other: every kind of event as bytes. Nodes of two releases run side by
 * side, so that whoever changes these bytes changes a protocol. `node packages/broker/test/vectors.ts --write` makes the
 * file anew; a test compares it.
 */
import { readFile, writeFile } from "node:fs/promises";
import type { NodeEvent } from "@hongyan/core";
import { writeEnvelope } from "../src/nats/envelope.ts";
import { encodeEvent } from "../src/nats/event-codec.ts";
import { writeNameWord } from "../src/nats/name-word.ts";
import { messageEvent } from "./events.ts";

const file = new URL("../vectors/events.json", import.meta.url);

export interface Vector {
  readonly name: string;
  readonly bytes: string;
}

const message = messageEvent("x:1") as Extract<NodeEvent, { kind: "message" }>;

/** By name. */
export const events: Readonly<Record<string, NodeEvent>> = {
  message,
  "message, but for one session": { ...message, exceptSession: "q3Jf0zUo8kV2mYb7TtN1xA" },
  receipt: { kind: "receipt", conversation: "alice:bob", user: "bob", delivered: 300, read: 5_000_000_000 },
  conversation: { kind: "conversation", conversation: "wild-geese", seq: 7 },
  claimed: { kind: "claimed", device: "phone", session: "s3", before: ["s2", "s1"], version: 3 },
  "kick, every device": { kind: "kick", device: undefined },
  "kick, one device": { kind: "kick", device: "phone" },
  behind: { kind: "behind" },
  online: { kind: "online", domain: "demo", users: ["alice", "bob"], node: "n1", turn: 9, online: true },
  whereabouts: { kind: "whereabouts", node: "n1" },
};

const bytesMax = 1024 * 1024;

export function makeVectors(): readonly Vector[] {
  const encoded = Object.entries(events).map(([name, event]) => ({
    name,
    event: encodeEvent(event, bytesMax),
  }));
  const some = encoded.slice(2, 4).map(({ event }) => event);
  const eventBytes = some.reduce((sum, { length }) => sum + length, 0);
  const list = Buffer.from("\u000ademo/alice\u0008demo/bob", "latin1");
  return [
    ...encoded.map(({ name, event }) => ({ name, bytes: hex(event) })),
    { name: "envelope of two events to one", bytes: hex(writeEnvelope(undefined, some, eventBytes)) },
    { name: "envelope of two events to two", bytes: hex(writeEnvelope(list, some, eventBytes)) },
    { name: "name of a node", bytes: hex(writeNameWord({ id: "n1", host: "web-1", isRunning: true })) },
  ];
}

export async function readVectors(): Promise<readonly Vector[]> {
  return JSON.parse(await readFile(file, "utf8")) as readonly Vector[];
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

if (import.meta.main && process.argv.includes("--write"))
  await writeFile(file, `${JSON.stringify(makeVectors(), null, 2)}\n`);
