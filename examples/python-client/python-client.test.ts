import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { root } from "../../tools/root.ts";

const hongyan = join(root, "packages/server/src/main.ts");
const chat = join(root, "examples/python-client/chat.py");
const hasPython = spawnSyncWorks("python3", ["-c", "import json, socket"]);

test("G1 G2 G3 G4 a client written from docs/protocol.md alone loses and doubles nothing while server and receiver are killed", {
  skip: hasPython ? false : "python3 is missing",
  timeout: 60_000,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "hongyan-python-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const data = join(folder, "data");
  let server = await startServer(t, data, 0);
  const token = (user: string) => run(["token", "--user", user, "--data", data]).trim();
  const person = (user: string, until: number) =>
    startPerson(t, server.tcpPort, [
      "--token",
      token(user),
      "--state",
      join(folder, `${user}.json`),
      "--until",
      String(until),
    ]);

  const total = 300;
  const alice = person("alice", 0);
  let bob = person("bob", total);
  const aliceHasSent = once(alice.process, "close");
  const seen: string[] = [];
  bob.lines.push = (...lines) => seen.push(...lines);
  const half = (from: number, to: number) => {
    for (let i = from; i <= to; i++) alice.process.stdin?.write(`alice:bob m${i}\n`);
  };

  half(1, total / 2);
  await until(() => seen.length > 20, t.signal);
  server.process.kill("SIGKILL");
  half(total / 2 + 1, total);
  alice.process.stdin?.end();
  server = await startServer(t, data, server.tcpPort);
  await until(() => seen.length > total / 2, t.signal);
  bob.process.kill("SIGKILL");
  await once(bob.process, "close");
  bob = person("bob", total);
  bob.lines.push = (...lines) => seen.push(...lines);
  await aliceHasSent;
  await until(() => new Set(seen).size >= total, t.signal);

  // What was printed within the last 0.2 s before the kill may be printed again, with the same seq.
  const lines = [...new Set(seen)].filter((line) => line.startsWith("alice:bob "));
  assert.deepEqual(
    lines,
    Array.from({ length: total }, (_, i) => `alice:bob ${i + 1} alice: m${i + 1}`),
  );
});

interface Person {
  readonly process: ChildProcess;
  lines: { push(...lines: string[]): void };
}

function startPerson(t: TestContext, tcpPort: number, args: readonly string[]): Person {
  const env = { ...process.env, CHAT_TCP_URL: `tcp://127.0.0.1:${tcpPort}` };
  const child = spawn("python3", [chat, ...args], { env, stdio: ["pipe", "pipe", "ignore"] });
  t.after(() => child.kill("SIGKILL"));
  const person: Person = { process: child, lines: [] };
  let rest = "";
  child.stdout.on("data", (chunk) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    person.lines.push(...parts);
  });
  return person;
}

async function startServer(
  t: TestContext,
  data: string,
  tcpPort: number,
): Promise<{ process: ChildProcess; tcpPort: number }> {
  const args = [
    "start",
    "--port",
    "0",
    "--tcp-port",
    String(tcpPort),
    "--data",
    data,
    "--log-level",
    "silent",
  ];
  const child = spawn(process.execPath, [hongyan, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  for await (const chunk of child.stdout) {
    output += chunk;
    const port = /TCP [\d.]+:(\d+)/.exec(output)?.[1];
    if (port !== undefined) return { process: child, tcpPort: Number(port) };
  }
  throw new Error(`the server has not started: ${output}`);
}

function run(args: readonly string[]): string {
  return execFileSync(process.execPath, [hongyan, ...args], { encoding: "utf8" });
}

async function until(condition: () => boolean, signal: AbortSignal): Promise<void> {
  while (!condition()) await delay(10, undefined, { signal });
}

function spawnSyncWorks(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
