/** What the tests of migrations are made of: the command line, data to begin with, and people who write meanwhile. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { EmbeddedStore } from "@hongyan/store/embedded";
import { type LaunchedServer, launchServer } from "@hongyan/testkit";
import { type Door, doors } from "./doors.ts";
import { Roamer } from "./roamer.ts";
import { WireClient } from "./wire-client.ts";

export const main = join(dirname(fileURLToPath(import.meta.resolve("@hongyan/server"))), "main.ts");
const [door] = doors as [Door];
const patienceMs = 40_000;

interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function isMoved(server: LaunchedServer): boolean {
  return server.output.includes('"migrate.done"');
}

/** A data directory with one conversation of so many entries. */
export async function filledData(t: TestContext, entries: number): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), "hongyan-migrate-"));
  t.after(() => rm(data, { recursive: true, force: true }));
  const store = await EmbeddedStore.open({ directory: join(data, "store") });
  const appends = Array.from({ length: entries }, (_, n) => ({
    log: "main/conversation/old",
    producer: n % 10 === 0 ? `uold${n}` : `nold${n % 7}/x`,
    number: n % 10 === 0 ? 0 : n,
    time: n,
    body: Buffer.from(`old ${n}`),
  }));
  await store.commit({ appends, advances: [], puts: [] });
  await store.close();
  return data;
}

export async function launch(
  t: TestContext,
  options: Parameters<typeof launchServer>[0],
): Promise<LaunchedServer> {
  const server = await launchServer({ startTimeoutMs: 60_000, ...options });
  t.after(() => server.close());
  return server;
}

export function hongyan(args: readonly string[], url?: string): Promise<Said> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("HONGYAN_"));
  const env = { ...Object.fromEntries(inherited), ...(url !== undefined && { HONGYAN_POSTGRES_URL: url }) };
  return said(spawn(process.execPath, [main, ...args], { env }));
}

export async function said(child: ChildProcess): Promise<Said> {
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

export function connect(server: LaunchedServer, user: string): Promise<WireClient> {
  return WireClient.connect(door, server, { user, device: "phone", token: server.token(user) });
}

export async function connectOk(server: LaunchedServer, user: string) {
  const client = await connect(server, user);
  const [ok] = client.of("connect.ok");
  client.cut();
  assert.ok(ok);
  return ok;
}

export async function unreadOf(
  server: LaunchedServer,
  user: string,
  conversation: string,
): Promise<number | undefined> {
  const client = await WireClient.connect(door, server, {
    user,
    device: "viewer",
    token: server.token(user),
  });
  await client.ask({ type: "list" }, "list.ok");
  const found = client.of("conversation").find((one) => one.conversation === conversation);
  client.cut();
  return found?.unread;
}

/** Two people who write to each other all the time, on three devices; one more device only watches. */
export async function talk(t: TestContext, server: LaunchedServer) {
  const [xena, yuri, conversation] = ["xena", "yuri", "xena:yuri"];
  const roamers = [
    new Roamer([server], door, xena, "phone", conversation),
    new Roamer([server], door, yuri, "phone", conversation),
    new Roamer([server], door, xena, "laptop", conversation),
  ] as const;
  const clients = [await connect(server, "watcher")];
  for (const roamer of roamers) roamer.start();
  let count = 0;
  const saying = setInterval(() => {
    count++;
    roamers[0].say(`x${count}`);
    roamers[1].say(`y${count}`);
  }, 40);
  t.after(async () => {
    clearInterval(saying);
    await Promise.all(roamers.map((roamer) => roamer.stop()));
    for (const client of clients) client.cut();
  });
  return {
    roamers,
    clients,
    /** They stop writing, and wait until all of it is everywhere. */
    async settle(at: LaunchedServer): Promise<void> {
      clearInterval(saying);
      await until(() => roamers.every((roamer) => roamer.hasAll(2 * count)));
      for (const { faults } of roamers) assert.deepEqual(faults, []);
      await this.check(at);
    },
    /** Everything that was acknowledged is in the log, once, in the order of each sender. */
    async check(at: LaunchedServer): Promise<void> {
      const reader = await WireClient.connect(door, at, {
        user: xena,
        device: `reader${Math.random()}`.replace("0.", ""),
        token: at.token(xena),
      });
      const texts: string[] = [];
      for (let after = 0; texts.length < 2 * count; ) {
        const { id, count: found } = await reader.ask(
          { type: "history", conversation, after, limit: 500 },
          "history.ok",
        );
        const page = reader.of("message").filter((message) => message.id === id);
        assert.equal(page.length, found);
        assert.ok(found > 0, `only ${texts.length} of ${2 * count} are there`);
        for (const { seq, body } of page) {
          assert.equal(seq, ++after);
          texts.push(Buffer.from(body ?? []).toString());
        }
      }
      reader.cut();
      for (const letter of ["x", "y"])
        assert.deepEqual(
          texts.filter((text) => text.startsWith(letter)),
          Array.from({ length: count }, (_, n) => `${letter}${n + 1}`),
        );
    },
  };
}

export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!condition()) {
    assert.ok(Date.now() < end, `it never came to be: ${condition}`);
    await pause(20);
  }
}
