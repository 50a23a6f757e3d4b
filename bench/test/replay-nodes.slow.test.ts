import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { natsMissing } from "@hongyan/testkit/nats";
import { whyNoPostgres } from "@hongyan/testkit/postgres";
import { makeTrace } from "../src/trace.ts";
import { run } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "hongyan-replay-nodes-"));
after(() => rmSync(folder, { recursive: true }));

/** A part of the trace that `HONGYAN_TEST_TRACE` names, or one that is made up. */
function trace(): string {
  const given = process.env.HONGYAN_TEST_TRACE ?? "";
  if (given !== "") return given;
  const file = join(folder, "trace.jsonl");
  const lines = makeTrace({ seed: 2, messages: 800, users: 40, groups: 8 }).map(
    ({ seconds, group, thread, user, text }) => JSON.stringify([seconds, group, thread, user, text]),
  );
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

test("G1 G2 G3 G4 G5 G7 a community on three nodes loses nothing while nodes, PostgreSQL and NATS die", {
  timeout: 180_000,
  skip: whyNoPostgres() ?? natsMissing,
}, async () => {
  const parts = ["--users", "40", "--messages", "800", "--window", "2000"];
  const { code, out, err } = await run("replay", [trace(), ...parts, "--nodes", "3", "--kills", "4"]);
  assert.equal(code, 0, `${err}\n${out}`);
  assert.match(out, /^messages +800 in /m);
  assert.match(out, /^storm .* 4 kills of 3 nodes, PostgreSQL crashed twice, NATS away for 5 s$/m);
  assert.match(out, /^after it +everybody connected and up to date in \d/m);
  assert.match(out, /^verdict +nothing lost, nothing twice, one order$/m);
});
