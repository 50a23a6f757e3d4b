import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cp, mkdtemp, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { EmbeddedStore } from "@hongyan/store/embedded";
import { append, bodies, bodiesTo, commit, freshDirectory, until } from "./data.ts";

const run = promisify(execFile);

/** The file that LevelDB writes now, and its size. */
async function tail(directory: string): Promise<{ path: string; size: number }> {
  const logs = (await readdir(directory)).filter((name) => name.endsWith(".log")).sort();
  const path = join(directory, logs.at(-1) ?? "");
  return { path, size: (await stat(path)).size };
}

test("G1 G3 a torn tail: every commit before it survives, the torn one is there whole or not at all", async (t) => {
  const directory = await freshDirectory(t);
  const store = await EmbeddedStore.open({ directory });
  const ends: number[] = [];
  for (let n = 1; n <= 40; n++) {
    // Two logs in one commit, of sizes that cross the 32 KiB frames of LevelDB's log.
    await commit(store, append("a", n), append("b", n, "x".repeat((n * 977) % 9000)));
    ends.push((await tail(directory)).size);
  }
  const size = ends.at(-1) ?? 0;
  const damages = [
    1,
    7,
    100,
    5000,
    size - (ends.at(-2) ?? 0),
    Math.floor(size / 2),
    size - (ends[0] ?? 0),
    size,
  ];
  for (const [i, bytes] of damages.entries()) {
    for (const damage of ["cut off", "zeros", "garbage"] as const) {
      const copy = join(directory, "..", `${directory.split("/").at(-1)}-${i}-${damage[0]}`);
      t.after(() => rm(copy, { recursive: true, force: true }));
      await cp(directory, copy, { recursive: true });
      await tear((await tail(copy)).path, size - bytes, damage);
      const torn = await EmbeddedStore.open({ directory: copy });
      const [a, b] = (await torn.heads(["a", "b"])) as [number, number];
      const whole = ends.filter((end) => end <= size - bytes).length;
      assert.ok(a >= whole, `${damage} of ${bytes} bytes: ${a} commits of ${whole} survive`);
      assert.equal(b, a, `${damage} of ${bytes} bytes: half a commit`);
      assert.deepEqual(await bodies(torn, "a"), bodiesTo(a));
      assert.equal((await commit(torn, append("a", a + 1)))[0]?.seq, a + 1);
      await torn.close();
    }
  }
  await store.close();
});

async function tear(path: string, from: number, damage: "cut off" | "zeros" | "garbage"): Promise<void> {
  const handle = await open(path, "r+");
  const { size } = await handle.stat();
  if (damage === "cut off") await handle.truncate(from);
  else {
    const bytes = Buffer.alloc(size - from);
    if (damage === "garbage") for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 2_654_435_761) >>> 13;
    await handle.write(bytes, 0, bytes.length, from);
  }
  await handle.close();
}

test("G1 G2 G3 SIGKILL in a burst, three times: what was acknowledged is there once, in order", async (t) => {
  const directory = await freshDirectory(t);
  let acknowledged = 0;
  for (let round = 0; round < 3; round++) {
    const writer = startWriter(directory);
    const lines = createInterface({ input: writer.stdout as NodeJS.ReadableStream });
    const target = acknowledged + 200;
    for await (const line of lines) {
      acknowledged = Math.max(acknowledged, Number(line));
      if (acknowledged >= target) writer.kill("SIGKILL");
    }
  }
  const store = await EmbeddedStore.open({ directory });
  const [head] = (await store.heads(["a"])) as [number];
  assert.ok(head >= acknowledged && acknowledged >= 600, `${acknowledged} acknowledged, ${head} stored`);
  assert.deepEqual(await bodies(store, "a"), bodiesTo(head));
  await store.close();
});

/** A process that appends 1, 2, 3, ... (resending from 1 in large steps) and prints what was acknowledged. */
function startWriter(directory: string): ChildProcess {
  const script = `
    import { EmbeddedStore } from "@hongyan/store/embedded";
    const store = await EmbeddedStore.open({ directory: ${JSON.stringify(directory)} });
    for (let n = 1; ; n += 5) {
      const appends = [0, 1, 2, 3, 4].map((i) => (
        { log: "a", producer: "p", number: n + i, time: 1, body: Buffer.from("body " + (n + i)) }));
      const { appends: outcomes } = await store.commit({ appends, advances: [], puts: [] });
      for (const [i, { seq }] of outcomes.entries()) if (seq !== n + i) throw new Error("seq " + seq);
      console.log(n + 4);
    }`;
  const options = { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] as const };
  return spawn(process.execPath, ["--input-type=module", "--eval", script], {
    ...options,
    stdio: [...options.stdio],
  });
}

test("G1 a full disk: a clear refusal, reads go on, and service returns when there is room", async (t) => {
  const directory = await smallDisk(t);
  if (directory === undefined) return;
  const store = await EmbeddedStore.open({ directory });
  const ballast = join(directory, "..", "ballast");
  await writeFile(ballast, Buffer.alloc(9 * 1024 * 1024));
  let stored = 0;
  let refusal: unknown;
  while (refusal === undefined) {
    try {
      await commit(store, append("a", stored + 1), append("filling", stored + 1, "x".repeat(50_000)));
      stored++;
    } catch (error) {
      refusal = error;
    }
  }
  assert.equal((refusal as { code?: string }).code, "failed");
  assert.match(String(refusal), /No space left on device/);
  assert.ok(stored > 10);
  await assert.rejects(commit(store, append("a", 1)), { code: "failed" });
  assert.deepEqual(await bodies(store, "a"), bodiesTo(stored));
  await rm(ballast);
  await until(() => store.statistics.recoveries > 0);
  for (let n = 1; n <= stored + 5; n++) assert.equal((await commit(store, append("a", n)))[0]?.seq, n);
  assert.deepEqual(await bodies(store, "a"), bodiesTo(stored + 5));
  await store.close();
});

test("a disk that was mounted read-only is refused by its name", async (t) => {
  const directory = await smallDisk(t);
  if (directory === undefined) return;
  await (await EmbeddedStore.open({ directory })).close();
  await run("mount", ["-o", "remount,ro", join(directory, "..")]);
  await assert.rejects(EmbeddedStore.open({ directory }), {
    code: "unwritable",
    message: /EROFS|[Rr]ead-only/,
  });
});

/** A directory on a disk of 16 MiB of its own, or undefined (and the test says so) where mounting is not allowed. */
async function smallDisk(t: TestContext): Promise<string | undefined> {
  const point = await mkdtemp(join(tmpdir(), "hongyan-disk-"));
  try {
    await run("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", point]);
  } catch (error) {
    await rm(point, { recursive: true });
    t.skip(`SKIPPED: no small disk can be mounted here (${String(error).split("\n")[0]})`);
    return undefined;
  }
  t.after(async () => {
    await run("umount", ["-l", point]);
    await rm(point, { recursive: true });
  });
  return join(point, "data");
}
