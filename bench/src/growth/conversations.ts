/** What the number of a user's conversations must not change. */
import { directConversationId } from "@hongyan/protocol";
import { callApi } from "../process/api.ts";
import type { Server } from "../process/server.ts";
import type { Row } from "../row.ts";
import { type Effort, withChild, withServer } from "../scenario/scenario.ts";
import { cpuMicrosEach } from "./cost.ts";
import { Figure } from "./figure.ts";
import { growthProcess } from "./process.ts";

const axis = "conversations of the user";
const listed = 10;
/** docs/decisions/2026-11-28-no-feed-per-user.md */
const why = "a message writes nothing for each member, so the heads of all conversations are compared";

const figures = () => ({
  idle: new Figure({
    axis,
    measure: "connect and sync, nothing new",
    unit: "ms",
    expected: "linear",
    why,
    note: "from the first packet until the device knows that it has everything",
  }),
  news: new Figure({
    axis,
    measure: "connect and sync, one new message",
    unit: "ms",
    expected: "linear",
    why,
    note: "from the first packet until the message is read and acknowledged, durably",
  }),
  list: new Figure({
    axis,
    measure: "list",
    unit: "ms",
    expected: "constant",
    note: `the first ${listed} conversations, each with its last message and its unread count`,
  }),
  send: new Figure({
    axis,
    measure: "send",
    unit: "µs CPU",
    expected: "constant",
    note: "CPU of the server for one message of 200 bytes in one of them, 64 in flight, the partner is not connected",
  }),
});

type Figures = ReturnType<typeof figures>;

export async function conversationsOfUser(effort: Effort, say: (line: string) => void): Promise<Row[]> {
  const sizes = effort.isQuick ? [10, 100, 1000] : [10, 100, 1000, 10_000];
  const all = figures();
  return withServer(
    { profileFolder: effort.profileFolder, settings: { sessionGraceMs: 0, connectTimeoutMs: 60_000 } },
    async (server) => {
      for (const size of sizes) {
        say(`growth: a user with ${size.toLocaleString("en")} conversations`);
        await withChild(growthProcess(server, user(size)), async (client) => {
          await client.open();
          await client.sendToEach(Array.from({ length: size }, (_, index) => conversation(size, index)));
        });
      }
      // The first run of every code is slower than all others.
      await measure(server, sizes[0] ?? 0, 300, figures());
      for (let round = 0; round < effort.rounds; round++) {
        say(`growth: costs of all users, ${round + 1}/${effort.rounds}`);
        for (const size of sizes) await measure(server, size, effort.isQuick ? 300 : 1500, all);
      }
      return Object.values(all).flatMap((figure) => figure.rows());
    },
  );
}

/** Ends with everything that was sent acknowledged, so that the next round begins as this one did. */
function measure(server: Server, size: number, ms: number, all: Figures): Promise<void> {
  return withChild(growthProcess(server, user(size)), async (client) => {
    await client.open();
    await client.close();
    all.idle.add(size, await median5(async () => open(0)));
    all.news.add(
      size,
      await median5(async () => {
        await news(server, size);
        return open(1);
      }),
    );
    await client.open();
    await client.list(listed, 5);
    all.list.add(size, await client.list(listed, 20));
    all.send.add(size, await cpuMicrosEach(server.pid, () => client.send(conversation(size, 0), ms)));
    await client.close();

    async function open(expected: number): Promise<number> {
      const opened = await client.open();
      await client.close();
      if (opened.messages !== expected)
        throw new Error(`${opened.messages} messages were new, and not ${expected}`);
      return opened.ms;
    }
  });
}

/** The median of five: one connection is too short to be measured once. */
async function median5(once: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let at = 0; at < 5; at++) values.push(await once());
  return values.sort((one, other) => one - other)[2] ?? 0;
}

let newsCount = 0;

/** A partner writes while the user is away. */
async function news(server: Server, size: number): Promise<void> {
  const index = Math.floor(size / 2);
  await callApi(server, "POST", `/v1/conversations/${conversation(size, index)}/messages`, {
    from: partner(index),
    clientMessageId: `n:${++newsCount}`,
    body: "news",
  });
}

function user(size: number): string {
  return `user${size}`;
}

function partner(index: number): string {
  return `p${index}`;
}

function conversation(size: number, index: number): string {
  return directConversationId(user(size), partner(index));
}
