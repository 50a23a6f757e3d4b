/**
 * Values for every frame: one sample with only what is required, one with every field, both made from the schema,
 * and some by hand where the edges are. The golden vectors are made from them.
 */
import { type Field, type Frame, type FrameSchema, schemas } from "@hongyan/protocol";

export interface Sample {
  readonly name: string;
  readonly frame: Frame;
}

/** What a reader of the vectors would expect to see in a field of this name. */
const stringSamples: Readonly<Record<string, string>> = {
  token: "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
  device: "phone-1",
  platform: "android",
  resume: "q3Jf0zUo8kV2mYb7TtN1xA",
  session: "q3Jf0zUo8kV2mYb7TtN1xA",
  node: "node-1",
  epoch: "Zr4mB1cXkQe9uGd0hS6LwP",
  domain: "demo",
  user: "bob",
  from: "alice",
  conversation: "alice:bob",
  clientMessageId: "Kd83ja0q:7",
  after: "Kd83ja0q:6",
  messageType: "text",
  name: "设计组 🪿",
  kind: "group",
  role: "admin",
  next: "alice:carol",
  reason: "The node stops.",
  message: "No such thing for this user.",
  lastFrom: "bob",
  lastType: "text",
};

const uintSamples: Readonly<Record<string, number>> = {
  version: 1,
  time: 1_795_226_400_000,
  lastTime: 1_795_226_399_000,
  heartbeatMs: 60_000,
  bodyBytesMax: 262_144,
  seq: 300,
  head: 70_000,
  read: 128,
  retryAfterMs: 1_500,
  limit: 500,
  bytes: 262_144,
  code: 7,
};

function sampleValue(place: Field & { readonly name: string }): unknown {
  switch (place.kind) {
    case "string":
      return stringSamples[place.name] ?? place.name;
    case "uint":
      return uintSamples[place.name] ?? 3;
    case "boolean":
      return true;
    case "strings":
      return ["alice", "bob"];
    case "positions":
      return [
        ["alice:bob", 300],
        ["team", 5_000_000_000],
      ];
  }
}

function sampleFrame(schema: FrameSchema, all: boolean): Frame {
  const frame: Record<string, unknown> = { type: schema.type, id: schema.direction === "push" ? 0 : 41 };
  for (const place of schema.places) if (all || !place.optional) frame[place.name] = sampleValue(place);
  if (schema.hasBody) frame.body = all ? new TextEncoder().encode("你好, Bob") : new Uint8Array(0);
  return frame as unknown as Frame;
}

const edges: readonly Sample[] = [
  {
    name: "a body that is not UTF-8",
    frame: {
      type: "send",
      id: 4_294_967_295,
      conversation: "team",
      clientMessageId: "p:1",
      body: Uint8Array.of(0xff, 0x00, 0xfe),
    },
  },
  {
    name: "an item: a push with the id of the command that asked for it",
    frame: {
      type: "message",
      id: 9,
      conversation: "team",
      seq: 1,
      from: "alice",
      time: 0,
      clientMessageId: "",
      messageType: "hongyan.created",
      body: new TextEncoder().encode("{}"),
    },
  },
  {
    name: "every width of a number",
    frame: {
      type: "ack",
      id: 128,
      positions: [
        ["a", 0],
        ["b", 127],
        ["c", 128],
        ["d", 255],
        ["e", 256],
        ["f", 65_535],
        ["g", 65_536],
        ["h", 4_294_967_295],
        ["i", 4_294_967_296],
        ["j", Number.MAX_SAFE_INTEGER],
      ],
    },
  },
  {
    name: "strings of 31, 32, 255 and 256 bytes",
    frame: {
      type: "add",
      id: 1,
      conversation: "team",
      users: [31, 32, 255, 256].map((length) => "u".repeat(length)),
    },
  },
  {
    name: "a list of 16 and a string whose bytes are more than its characters",
    frame: {
      type: "users",
      id: 1,
      users: [...Array.from({ length: 15 }, (_, i) => `u${i}`), "雁".repeat(20)],
    },
  },
  {
    name: "absent fields before a present one",
    frame: { type: "history", id: 2, conversation: "team", limit: 10 },
  },
  {
    name: "a body that begins with a byte order mark",
    frame: {
      type: "send",
      id: 3,
      conversation: "team",
      clientMessageId: "p:2",
      body: Uint8Array.of(0xef, 0xbb, 0xbf, 0x41),
    },
  },
];

/** Every frame type twice, and the edges. */
export function samples(): readonly Sample[] {
  const made = schemas.flatMap((schema: FrameSchema): Sample[] => {
    const required = { name: `${schema.type}, required fields`, frame: sampleFrame(schema, false) };
    const full = { name: `${schema.type}, all fields`, frame: sampleFrame(schema, true) };
    return schema.places.some((place) => place.optional) || schema.hasBody ? [required, full] : [required];
  });
  return [...made, ...edges];
}
