/** Appends messages of many conversations in batches, to the embedded store or to bare LevelDB. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Append } from "@hongyan/core";
import { ClassicLevel } from "classic-level";
import { serveJobs } from "../process/child.ts";

export interface OpenInput {
  readonly engine: "embedded" | "level";
  /** Where the embedded store comes from: the checkout that is measured need not be the bench's own. */
  readonly embeddedModule: string;
  readonly directory: string;
  readonly conversations: number;
  readonly bodyBytes: number;
}

export interface AppendResult {
  readonly perSecond: number;
  /** Bytes that this process has caused to be written to disk, compaction included. */
  readonly bytesWritten: number;
}

const batchSize = 500;

interface Engine {
  /** Appends to these conversations, one each, durably. */
  append(conversations: readonly number[]): Promise<void>;
  close(): Promise<void>;
}

let input: OpenInput;
let engine: Engine;
let heads: Int32Array;
/** Xorshift: the same conversations in the same order for both engines. */
let random = 0x9e3779b9;

function nextConversation(): number {
  random ^= random << 13;
  random ^= random >>> 17;
  random ^= random << 5;
  return (random >>> 0) % input.conversations;
}

function nextNumber(conversation: number): number {
  const number = (heads[conversation] ?? 0) + 1;
  heads[conversation] = number;
  return number;
}

async function open(options: OpenInput): Promise<void> {
  input = options;
  heads ??= new Int32Array(options.conversations);
  engine = options.engine === "embedded" ? await openEmbedded() : await openLevel();
}

async function openEmbedded(): Promise<Engine> {
  const { EmbeddedStore } = (await import(
    pathToFileURL(input.embeddedModule).href
  )) as typeof import("@hongyan/store/embedded");
  const store = await EmbeddedStore.open({ directory: input.directory });
  const body = new Uint8Array(input.bodyBytes).fill(0x68);
  return {
    async append(conversations) {
      const appends: Append[] = conversations.map((conversation) => {
        const number = nextNumber(conversation);
        return {
          log: `bench/conversation/c${conversation}`,
          producer: `u${conversation}/d`,
          number,
          time: Date.now(),
          body,
        };
      });
      const outcome = await store.commit({ appends, advances: [], puts: [] });
      if (outcome.appends.some(({ status }) => status !== "stored"))
        throw new Error("an append was not stored");
    },
    close: () => store.close(),
  };
}

/** Two keys for each message: the entry by (conversation, seq), and who sent it with which number → seq. */
async function openLevel(): Promise<Engine> {
  const database = new ClassicLevel<Buffer, Buffer>(input.directory, {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
  });
  await database.open();
  const body = Buffer.alloc(input.bodyBytes, 0x68);
  return {
    async append(conversations) {
      const batch = conversations.flatMap((conversation) => {
        const seq = nextNumber(conversation);
        const value = Buffer.alloc(4);
        value.writeUInt32BE(seq);
        return [
          { type: "put" as const, key: keyOf("e", conversation, seq), value: body },
          { type: "put" as const, key: keyOf("d", conversation, seq), value },
        ];
      });
      await database.batch(batch, { sync: true });
    },
    close: () => database.close(),
  };
}

function keyOf(table: string, conversation: number, number: number): Buffer {
  const key = Buffer.from(`${table}bench/conversation/c${conversation}/....`);
  key.writeUInt32BE(number, key.length - 4);
  return key;
}

async function append({ count }: { count: number }): Promise<AppendResult> {
  const writtenBefore = bytesWritten();
  const startMs = performance.now();
  for (let done = 0; done < count; done += batchSize) {
    await engine.append(Array.from({ length: Math.min(batchSize, count - done) }, nextConversation));
  }
  const perSecond = (count / (performance.now() - startMs)) * 1000;
  return { perSecond, bytesWritten: bytesWritten() - writtenBefore };
}

function bytesWritten(): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1] ?? 0);
}

async function close(): Promise<void> {
  await engine.close();
}

serveJobs({ open, append, close });
