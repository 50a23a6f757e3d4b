/** What the number of messages stored must not change. */
import { join } from "node:path";
import { callApi, createGroup } from "../process/api.ts";
import { Child } from "../process/child.ts";
import { diskBytes } from "../process/disk.ts";
import { Folder } from "../process/folder.ts";
import { memoryOf } from "../process/memory.ts";
import { Server } from "../process/server.ts";
import type { Row } from "../row.ts";
import { bodyBytes, type Effort, withChild } from "../scenario/scenario.ts";
import { Figure } from "./figure.ts";
import type { FillerInput } from "./filler.ts";
import { growthProcess } from "./process.ts";

const axis = "messages stored";
const conversation = "long";
const sender = "writer";
const pageMessages = 100;
/** The last pieces of each size are timed, each of at most so many messages. */
const pieces = 3;
const pieceMax = 10_000;
const warmUp = 20_000;
const readsEach = 20;

const figures = () => ({
  append: new Figure({
    axis,
    measure: "append",
    unit: "µs/message",
    expected: "constant",
    note: "batches of 500, half into one long conversation, half into short ones, 200 bytes that do not compress, deduplicated, one batch at a time, straight into the store",
  }),
  disk: new Figure({
    axis,
    measure: "disk",
    unit: "bytes/message",
    expected: "constant",
    note: "the data directory, blocks of the disk, divided by the messages in it",
    // Below a few tables of LevelDB most of it is the log that is written twice.
    slopeFrom: 100_000,
  }),
  start: new Figure({
    axis,
    measure: "start to ready",
    unit: "ms",
    expected: "constant",
    note: "from starting the process until it says that it listens",
  }),
  head: new Figure({
    axis,
    measure: "history at the head",
    unit: "ms",
    expected: "constant",
    note: `the last ${pageMessages} messages of a conversation that holds half of all, from asking to the answer`,
  }),
  middle: new Figure({
    axis,
    measure: "history in the middle",
    unit: "ms",
    expected: "constant",
    note: `${pageMessages} messages from another place of the middle half each time`,
  }),
  memory: new Figure({
    axis,
    measure: "memory after start",
    unit: "MB",
    expected: "constant",
    note: "resident memory of the server when it is ready",
  }),
});

export async function messagesStored(effort: Effort, say: (line: string) => void): Promise<Row[]> {
  const sizes = effort.isQuick
    ? [10_000, 30_000, 100_000]
    : [10_000, 100_000, 1_000_000, ...(effort.isFull === true ? [10_000_000] : [])];
  const all = figures();
  const server = new Server({ profileFolder: effort.profileFolder });
  try {
    await server.start();
    await createGroup(server, conversation, [sender, "reader"]);
    await server.stop();
    let stored = 0;
    for (const size of sizes) {
      say(`growth: ${size.toLocaleString("en")} messages stored`);
      stored = await fill(server, stored, size, all.append);
      all.disk.add(size, diskBytes(server.data) / stored);
      for (let round = 0; round < 3; round++) {
        all.start.add(size, await server.start());
        all.memory.add(size, memoryOf(server.pid).rss / 1e6);
        await read(server, size, all);
        await server.stop();
      }
    }
    return Object.values(all).flatMap((figure) => figure.rows());
  } finally {
    await server.remove();
  }
}

/** Fills up to `size` messages, and times the last of them; returns how many there are then. */
function fill(server: Server, stored: number, size: number, figure: Figure): Promise<number> {
  const warm = new Folder("growth");
  return withChild(new Child(new URL("./filler.ts", import.meta.url)), async (filler) => {
    const input: FillerInput = {
      directory: join(server.data, "store"),
      domain: server.signer.domain,
      conversation,
      sender,
      from: stored,
      bodyBytes,
    };
    // A process that has just started runs code that is not compiled yet.
    await filler.call("open", { ...input, directory: warm.path });
    await filler.call("append", { count: warmUp });
    await filler.call("close");
    await filler.call("open", input);
    const piece = Math.min(pieceMax, size / 5);
    await filler.call("append", { count: size - stored - pieces * piece });
    for (let at = 0; at < pieces; at++)
      figure.add(size, (await filler.call<{ micros: number }>("append", { count: piece })).result.micros);
    return (await filler.call<{ number: number }>("close")).result.number;
  }).finally(() => warm.remove());
}

async function read(
  server: Server,
  size: number,
  { head, middle }: ReturnType<typeof figures>,
): Promise<void> {
  const { head: last } = await callApi<{ head: number }>(server, "GET", `/v1/conversations/${conversation}`);
  await withChild(growthProcess(server, "reader", false), async (client) => {
    await client.open();
    // The first pages load the conversation and compile the code.
    await client.history(conversation, last + 1, pageMessages, readsEach);
    head.add(size, await client.history(conversation, last + 1, pageMessages, readsEach));
    const times: number[] = [];
    for (let at = 0; at < readsEach; at++) {
      const before = Math.floor(last * (0.25 + (0.5 * at) / readsEach));
      times.push(await client.history(conversation, before, pageMessages, 1));
    }
    times.sort((one, other) => one - other);
    middle.add(size, times[times.length >> 1] ?? 0);
  });
}
