/** Appends messages of many writers to the PostgreSQL store, or bare rows by the plainest insert that there is. */
import { pathToFileURL } from "node:url";
import { Client } from "pg";
import { serveJobs } from "../process/child.ts";

export interface InsertInput {
  readonly engine: "insert";
  readonly url: string;
  readonly conversations: number;
  readonly bodyBytes: number;
}

export interface StoreInput extends Omit<InsertInput, "engine"> {
  readonly engine: "store";
  /** Where the store comes from: the checkout that is measured need not be the bench's own. */
  readonly storeModule: string;
  readonly writers: number;
}

export interface AppendResult {
  readonly perSecond: number;
  /** How many messages a transaction carried, on average. */
  readonly perTransaction: number;
}

/** As many as the store commits over. */
const connections = 4;
const rowsPerInsert = 500;

interface Engine {
  /** Appends until the time is over; resolves to how many messages, in how many transactions. */
  append(endMs: number): Promise<{ readonly messages: number; readonly transactions: number }>;
}

let engine: Engine;
/** Xorshift: the same conversations in the same order for both engines. */
let random = 0x9e3779b9;

function nextConversation(count: number): number {
  random ^= random << 13;
  random ^= random >>> 17;
  random ^= random << 5;
  return (random >>> 0) % count;
}

async function open(input: StoreInput | InsertInput): Promise<void> {
  engine = input.engine === "store" ? await openStore(input) : await openInsert(input);
}

/** Every writer waits for its message before it sends the next one. */
async function openStore({
  storeModule,
  url,
  conversations,
  writers,
  bodyBytes,
}: StoreInput): Promise<Engine> {
  const { PostgresStore } = (await import(
    pathToFileURL(storeModule).href
  )) as typeof import("@hongyan/store/postgres");
  const store = await PostgresStore.open({ url });
  const numbers = new Int32Array(conversations);
  const body = new Uint8Array(bodyBytes).fill(0x68);
  return {
    async append(endMs) {
      const before = store.statistics.transactions;
      let messages = 0;
      const write = async (): Promise<void> => {
        while (performance.now() < endMs) {
          const at = nextConversation(conversations);
          const number = (numbers[at] ?? 0) + 1;
          numbers[at] = number;
          const one = {
            log: `bench/conversation/c${at}`,
            producer: `nu${at}/d`,
            number,
            time: Date.now(),
            body,
          };
          const { appends } = await store.commit({ appends: [one], advances: [], puts: [] });
          if (appends[0]?.status !== "stored") throw new Error("an append was not stored");
          messages++;
        }
      };
      await Promise.all(Array.from({ length: writers }, write));
      return { messages, transactions: store.statistics.transactions - before };
    },
  };
}

/** One INSERT of 500 rows after the other: no key, no head, no duplicates looked for. */
async function openInsert({ url, conversations, bodyBytes }: InsertInput): Promise<Engine> {
  const clients = await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = new Client(url);
      await client.connect();
      return client;
    }),
  );
  await clients[0]?.query(
    `CREATE TABLE public.bare (
      conversation uuid, seq bigint, time bigint, number bigint, producer uuid, body bytea,
      PRIMARY KEY (conversation, seq)
    )`,
  );
  const row = (i: number) => `(${[1, 2, 3, 4, 5, 6].map((column) => `$${i * 6 + column}`).join(", ")})`;
  const text = `INSERT INTO public.bare VALUES ${Array.from({ length: rowsPerInsert }, (_, i) => row(i)).join(", ")}`;
  const seqs = new Int32Array(conversations);
  const body = Buffer.alloc(bodyBytes, 0x68);
  return {
    async append(endMs) {
      let transactions = 0;
      const write = async (client: Client): Promise<void> => {
        while (performance.now() < endMs) {
          const values = Array.from({ length: rowsPerInsert }, () => {
            const at = nextConversation(conversations);
            const seq = (seqs[at] ?? 0) + 1;
            seqs[at] = seq;
            const id = idOf(at);
            return [id, seq, Date.now(), seq, id, body];
          });
          await client.query({ name: "insert", text, values: values.flat() });
          transactions++;
        }
      };
      await Promise.all(clients.map(write));
      return { messages: transactions * rowsPerInsert, transactions };
    },
  };
}

/** 16 bytes that are spread as digests are. */
function idOf(conversation: number): Buffer {
  const id = Buffer.alloc(16);
  for (let i = 0; i < 4; i++) id.writeUInt32BE(Math.imul(conversation + 1, 0x9e3779b1 + 2 * i) >>> 0, i * 4);
  return id;
}

async function append({ ms }: { ms: number }): Promise<AppendResult> {
  const startMs = performance.now();
  const { messages, transactions } = await engine.append(startMs + ms);
  const seconds = (performance.now() - startMs) / 1000;
  return { perSecond: messages / seconds, perTransaction: messages / transactions };
}

serveJobs({ open, append });
