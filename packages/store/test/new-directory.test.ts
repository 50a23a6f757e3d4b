import assert from "node:assert/strict";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeDirectory } from "../src/embedded/new-directory.ts";

test("a directory is made with all above it, and names the topmost that is new", async () => {
  const base = mkdtempSync(join(tmpdir(), "hongyan-new-"));
  assert.equal(await makeDirectory(join(base, "a/b/c")), join(base, "a"));
  assert.ok(existsSync(join(base, "a/b/c")));
  assert.equal(await makeDirectory(join(base, "a/b/c")), undefined);
  assert.equal(await makeDirectory(join(base, "a/d")), join(base, "a/d"));
  assert.equal(await makeDirectory("/"), undefined);
  writeFileSync(join(base, "file"), "");
  await assert.rejects(makeDirectory(join(base, "file")), { code: "EEXIST" });
  await assert.rejects(makeDirectory(join(base, "file/below")), { code: "ENOTDIR" });
});

test("a file system that takes no directories refuses, instead of being asked for ever", {
  skip: !existsSync("/proc/self") && "there is no /proc",
}, async () => {
  await assert.rejects(makeDirectory("/proc/hongyan/data"), { code: "ENOENT" });
});
