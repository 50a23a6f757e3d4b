/** Fills a store directly: half of the messages go to one long conversation, the others to many short ones. */
import { randomBytes } from "node:crypto";
import { type Append, conversationLog, encodeMessage } from "@hongyan/core";
import { EmbeddedStore } from "@hongyan/store/embedded";
import { serveJobs } from "../process/child.ts";

export interface FillerInput {
  readonly directory: string;
  readonly domain: string;
  readonly conversation: string;
  readonly sender: string;
  /** The last number that the sender has used so far. */
  readonly from: number;
  readonly bodyBytes: number;
}

export const batchSize = 500;
/** Messages of each short conversation. */
const shortLength = 10;

let input: FillerInput;
let store: EmbeddedStore;
let number = 0;
/** Bytes that do not compress: a slice of them for each message. */
const pool = randomBytes(64 * 1024);

async function open(options: FillerInput): Promise<void> {
  input = options;
  number = options.from;
  store = await EmbeddedStore.open({ directory: options.directory });
}

/** Appends `count` messages, batch after batch; microseconds of each message. */
async function append({ count }: { count: number }): Promise<{ micros: number }> {
  const startMs = performance.now();
  for (let done = 0; done < count; done += batchSize) {
    const appends = Array.from({ length: Math.min(batchSize, count - done) }, next);
    const { appends: outcomes } = await store.commit({ appends, advances: [], puts: [] });
    if (outcomes.some(({ status }) => status !== "stored")) throw new Error("an append was not stored");
  }
  return { micros: ((performance.now() - startMs) * 1000) / count };
}

function next(_: unknown, at: number): Append {
  const n = ++number;
  const { domain, conversation, sender, bodyBytes } = input;
  const from = (n * 61) % (pool.length - bodyBytes);
  // Short conversations are in use for a while and then rest, as those of people do.
  const short = Math.floor(n / (2 * shortLength * batchSize)) * batchSize + (at >> 1);
  return {
    log: conversationLog(domain, at % 2 === 0 ? conversation : `short${short}`),
    producer: `n${sender}/f`,
    number: n,
    time: Date.now(),
    body: encodeMessage(sender, `f:${n}`, undefined, pool.subarray(from, from + bodyBytes)),
  };
}

async function close(): Promise<{ number: number }> {
  await store.close();
  return { number };
}

serveJobs({ open, append, close });
