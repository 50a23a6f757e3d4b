import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Row } from "../src/row.ts";
import { run } from "./command.ts";

test("an unknown scenario is refused with a list of those that exist", async () => {
  const { code, err } = await run("main", ["direct", "sideways"]);
  assert.equal(code, 2);
  assert.match(err, /unknown scenario "sideways".*direct, fanout, idle, backlog, storm, store/);
});

test("absurd flags are refused before anything is measured", async () => {
  for (const args of [
    ["--rounds", "0"],
    ["--rounds", "many"],
    ["--wrong"],
    ["--json"],
    ["--json", "/no/such/folder/x.json"],
    ["--store"],
    ["--nodes", "x"],
    ["--nodes", "3", "--full"],
    ["--nodes", "3", "--peers"],
  ]) {
    const { code, err } = await run("main", ["backlog", ...args]);
    assert.equal(code, 2, args.join(" "));
    assert.notEqual(err, "");
  }
});

test("what makes no sense on PostgreSQL is refused with what would", async () => {
  const refused = async (args: string[], words: RegExp) => {
    const { code, err } = await run("main", args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, words);
  };
  await refused(["--store", "mysql"], /--store must be embedded or postgres, not "mysql"/);
  await refused(["--nodes", "0"], /--nodes must be a whole number from 1 to 16/);
  await refused(["--nodes", "2", "--store", "embedded"], /--nodes goes with --store postgres/);
  await refused(
    ["--nodes", "2", "growth"],
    /"growth" is not measured .* direct, fanout, backlog, storm, idle/,
  );
});

test("a scenario prints a table and writes its rows beside their bare probe", {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "hongyan-rows-"));
  try {
    const file = join(folder, "rows.json");
    const { code, out, err } = await run("main", ["backlog", "--quick", "--json", file]);
    assert.equal(code, 0, err);
    assert.match(out, /^scenario +variant +value/);
    const rows = JSON.parse(readFileSync(file, "utf8")) as Row[];
    assert.deepEqual(
      rows.map(({ scenario, transport }) => `${scenario} ${transport}`),
      ["backlog tcp", "backlog websocket", "backlog poll"],
    );
    for (const row of rows) {
      assert.equal(row.unit, "s");
      assert.ok(row.value > 0 && row.value < 20);
      assert.ok(
        row.probe !== null && row.ratio !== null && Math.abs(row.value / row.probe - row.ratio) < 0.01,
      );
      assert.ok(row.runs >= 3);
      assert.notEqual(row.machine, "");
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
