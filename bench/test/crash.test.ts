import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Figure } from "../src/page/figure.ts";
import { run } from "./command.ts";

test("a server that is killed under load loses nothing, and the row shows the time around it", {
  timeout: 180_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "hongyan-rows-"));
  try {
    const file = join(folder, "rows.json");
    const { code, err } = await run("main", ["crash", "--quick", "--json", file]);
    assert.equal(code, 0, err);
    const [row] = JSON.parse(readFileSync(file, "utf8")) as [Figure];
    const { series, killedMs = 0, listeningMs = 0 } = row;
    assert.equal(series?.stored.length, 60);
    assert.ok(killedMs > 1000 && listeningMs > killedMs);
    assert.ok(
      (series?.stored.slice(0, 10) ?? []).some((count) => count > 0),
      "there was something to kill",
    );
    assert.equal(row.command, "npm run bench -- crash --quick");
    assert.ok(row.value * 1000 >= listeningMs - killedMs - 300, "nothing was stored while nobody listened");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
