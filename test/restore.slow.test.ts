/** A dump of PostgreSQL that is older than what devices have seen, restored as docs/operating/data.md says. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { createClient } from "@hongyan/client/node";
import { launchServer } from "@hongyan/testkit";
import { startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";

const run = promisify(execFile);
const conversation = "alice:bob";
const patienceMs = 30_000;

test("G3 G4 a dump is restored under another epoch: who had seen more begins anew, and misses nothing new", {
  skip: whyNoPostgres() ?? false,
  timeout: 120_000,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "hongyan-dump-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const dump = join(folder, "hongyan.dump");
  const postgres = await startPostgres();
  t.after(() => postgres.stop());
  const url = await postgres.createDatabase();
  const node = await launchServer({ settings: { postgres: { url } } });
  t.after(() => node.close());
  const clientOf = (user: string) =>
    createClient({ url: node.httpUrl, token: node.token(user), device: "phone" });
  const [alice, bob] = [clientOf("alice"), clientOf("bob")];
  t.after(() => Promise.all([alice.stop(), bob.stop()]));
  const shown: string[] = [];
  bob.on("message", ({ seq, body }) => void shown.push(`${seq} ${Buffer.from(body)}`));
  await Promise.all([alice.start(), bob.start()]);

  const say = async (text: string) => (await alice.stored(alice.send(conversation, text))).seq;
  assert.deepEqual([await say("one"), await say("two")], [1, 2]);
  await run("pg_dump", ["--format", "custom", "--schema", "hongyan", "--file", dump, url]);
  assert.deepEqual([await say("three"), await say("four")], [3, 4]);
  await until(() => shown.length === 4);

  await node.stop();
  await run("psql", [url, "--command", "ALTER SCHEMA hongyan RENAME TO hongyan_before"]);
  await run("pg_restore", ["--exit-on-error", "--single-transaction", "--dbname", url, dump]);
  await run("psql", [url, "--command", "UPDATE hongyan.meta SET epoch = gen_random_uuid()"]);
  await node.start();

  assert.equal(await say("new"), 3, "the seqs of what was lost are given out again");
  await until(() => shown.includes("3 new"));
  assert.deepEqual(shown.slice(0, 4), ["1 one", "2 two", "3 three", "4 four"]);
  // What bob had acknowledged only just before the dump, the dump does not know.
  assert.deepEqual(
    shown.slice(4).filter((line) => !["1 one", "2 two"].includes(line)),
    ["3 new"],
  );
});

async function until(is: () => boolean): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!is()) {
    assert.ok(performance.now() < endMs, "not in time");
    await pause(20);
  }
}
