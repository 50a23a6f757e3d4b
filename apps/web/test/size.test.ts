import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { buildPage } from "./browser/built-page.ts";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const scriptBytesMax = 120 * 1024;

test("the page stays small: all its script together, compressed", async () => {
  await buildPage();
  const scripts = (await readdir(`${dist}assets`)).filter((name) => name.endsWith(".js"));
  const sizes = await Promise.all(
    scripts.map(async (name) => gzipSync(await readFile(`${dist}assets/${name}`)).length),
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(bytes > 0 && bytes <= scriptBytesMax, `${bytes} of at most ${scriptBytesMax} bytes`);
});

test("the page needs nothing that its content security policy forbids: no inline script, no other origin", async () => {
  await buildPage();
  const html = await readFile(`${dist}index.html`, "utf8");
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|\bon[a-z]+=|https?:/u);
});
