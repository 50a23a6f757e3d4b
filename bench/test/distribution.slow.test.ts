import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { natsMissing } from "@hongyan/testkit/nats";
import { whyNoPostgres } from "@hongyan/testkit/postgres";
import type { Row } from "../src/row.ts";
import { run } from "./command.ts";

test("the same work on two nodes stands beside one embedded node, and the bare inserts below", {
  skip: whyNoPostgres() ?? natsMissing,
  timeout: 300_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "hongyan-rows-"));
  try {
    const file = join(folder, "rows.json");
    const { code, err } = await run("main", ["--nodes", "2", "--quick", "backlog", "--json", file]);
    assert.equal(code, 0, err);
    const rows = JSON.parse(readFileSync(file, "utf8")) as Row[];
    assert.deepEqual(
      rows.map(({ variant }) => variant.replace(/ \(.*/, "")),
      ["backlog, 20,000 messages", "bare batched inserts"],
    );
    for (const { scenario, variant, value, nodes } of rows) {
      assert.equal(scenario, "distribution");
      assert.equal(nodes, 2);
      assert.match(variant, /2 nodes on PostgreSQL and NATS/);
      assert.ok(value > 0);
    }
    for (const { value, probe, ratio } of rows.slice(0, 1))
      assert.ok(probe !== null && ratio !== null && Math.abs(value / probe - ratio) < 0.01 * ratio);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
