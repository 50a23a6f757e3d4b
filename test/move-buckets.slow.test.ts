/** Buckets move with the real command while three real nodes on two databases serve clients who write. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Cluster, enginesMissing } from "./cluster.ts";
import { type Door, doors } from "./doors.ts";
import { Roamer } from "./roamer.ts";

const main = fileURLToPath(new URL("../packages/server/src/main.ts", import.meta.url));
const patienceMs = 60_000;
/** Nobody says more while so much waits to be sent: a slow machine would not come to an end. */
const waitingMax = 20;
/** Five of these conversations are in buckets that move, the others in those that stay. */
const pairs = 16;

describe("buckets that move under three nodes", { skip: enginesMissing, timeout: 180_000 }, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start(3, { repushAfterMs: 1000 }, "127.0.0.1", ["east"]);
  });
  after(() => cluster.close());

  /** The command, as a process of its own: what it has printed. */
  async function buckets(...words: readonly string[]): Promise<string> {
    const { url, servers } = cluster.databases;
    const child = spawn(process.execPath, [main, "buckets", ...words], {
      env: {
        PATH: process.env.PATH,
        HONGYAN_POSTGRES_URL: url,
        HONGYAN_POSTGRES_SERVERS: JSON.stringify(servers),
      },
    });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += chunk));
    const [code] = await once(child, "close");
    assert.equal(code, 0, printed);
    return printed;
  }

  test("G1 G2 G3 G4 nothing is lost, nothing is there twice, and all see one order", async (t) => {
    const { nodes } = cluster;
    const websocket = doors.find(({ name }) => name === "websocket") as Door;
    const chats = Array.from({ length: pairs }, (_, n) => {
      const [one, other] = [`ann${n}`, `ben${n}`];
      const roamers = [one, other].map(
        (user) => new Roamer(nodes, websocket, user, "phone", `${one}:${other}`),
      );
      return { roamers, said: [] as string[] };
    });
    for (const { roamers } of chats) for (const roamer of roamers) roamer.start();
    t.after(() => Promise.all(chats.flatMap(({ roamers }) => roamers.map((roamer) => roamer.stop()))));
    const saying = setInterval(() => {
      for (const { roamers, said } of chats) {
        if (roamers.some(({ waiting }) => waiting > waitingMax)) continue;
        for (const roamer of roamers) {
          const text = `${roamer.user} ${said.length}`;
          said.push(text);
          roamer.say(text);
        }
      }
    }, 50);
    t.after(() => clearInterval(saying));

    const acknowledged = () => chats.map(({ roamers }) => roamers.flatMap((one) => one.acknowledged).length);
    await until(() => acknowledged().every((count) => count > 2));
    const before = acknowledged();
    const printed = await buckets("move", "8-f", "--to", "east");
    const moved = printed.matchAll(/^Bucket (.) is on east: ([\d,]+) rows copied/gm);
    // The odd ones were there before.
    assert.deepEqual(
      Array.from(moved, ([, name]) => name),
      ["8", "a", "c", "e"],
      printed,
    );
    const during = acknowledged();
    assert.ok(
      during.every((count, at) => count > (before[at] ?? 0)),
      `somebody could not write meanwhile: ${before}, then ${during}`,
    );
    assert.equal((await buckets()).match(/^[89a-f] +east .* serving$/gm)?.length, 8);
    clearInterval(saying);

    await until(() =>
      chats.every(({ roamers, said }) => roamers.every((roamer) => roamer.hasAll(said.length))),
    );
    for (const { roamers, said } of chats) {
      const [one, other] = roamers as [Roamer, Roamer];
      assert.deepEqual([...one.faults, ...other.faults], []);
      const order = Array.from(said, (_, at) => one.shown.get(at + 1));
      assert.deepEqual(order.toSorted(), said.toSorted(), "each text is there once");
      assert.deepEqual(
        Array.from(said, (_, at) => other.shown.get(at + 1)),
        order,
        "both see one order",
      );
      for (const { user } of roamers)
        assert.deepEqual(
          order.filter((text) => text?.startsWith(`${user} `)),
          said.filter((text) => text.startsWith(`${user} `)),
          "each sender's order",
        );
    }
  });
});

async function until(is: () => boolean): Promise<void> {
  for (const endMs = performance.now() + patienceMs; !is(); ) {
    assert.ok(performance.now() < endMs, "not in time");
    await pause(20);
  }
}
