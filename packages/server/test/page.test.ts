import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createHttpServer } from "../src/http/http-server.ts";
import { addPage } from "../src/web/page.ts";

async function page(directory: string) {
  const log: unknown[] = [];
  const journal = {
    info() {},
    warn: (event: string, details: { advice?: unknown } = {}) => log.push(event, details.advice),
  };
  const { app } = createHttpServer({
    journal,
    origins: { allows: () => true },
    held: { handle: () => false },
  });
  await addPage(app, journal, directory);
  await app.ready();
  const get = (url: string, headers: Record<string, string> = {}) =>
    app.inject({ method: "GET", url, headers });
  return { log, get };
}

function built(): string {
  const root = mkdtempSync(join(tmpdir(), "hongyan-page-"));
  const directory = join(root, "dist");
  mkdirSync(join(directory, "assets"), { recursive: true });
  writeFileSync(join(root, "secret"), "secret");
  writeFileSync(join(directory, "index.html"), "<!doctype html><title>Hongyan</title>");
  writeFileSync(join(directory, ".env"), "secret");
  writeFileSync(join(directory, "assets", "index-3f9a.js"), "export {};");
  return directory;
}

test("the page is asked for again each time, its hashed assets never", async () => {
  const { get } = await page(built());
  const index = await get("/");
  assert.equal(index.statusCode, 200);
  assert.match(String(index.headers["content-type"]), /text\/html/);
  assert.equal(index.headers["cache-control"], "no-cache");
  assert.match(String(index.headers["content-security-policy"]), /script-src 'self';/);
  const asset = await get("/assets/index-3f9a.js");
  assert.equal(asset.statusCode, 200);
  assert.equal(asset.headers["cache-control"], "public, max-age=31536000, immutable");
});

test("nothing but the page's own files is served", async () => {
  const { get } = await page(built());
  for (const url of [
    "/../secret",
    "/..%2fsecret",
    "/%2e%2e/secret",
    "/assets/../../secret",
    "/.env",
    "/nope.js",
    "/assets/",
  ]) {
    const answer = await get(url);
    assert.ok(answer.statusCode >= 400 && answer.statusCode < 500, `${url} ${answer.statusCode}`);
    assert.ok(!answer.body.includes("secret\n") && answer.body !== "secret", url);
    assert.equal(typeof answer.json().error.code, "number", url);
  }
});

test("a page that is not built is said, in the log and to the visitor", async () => {
  const { get, log } = await page(join(tmpdir(), "hongyan-no-such-page"));
  assert.deepEqual(log, ["page.missing", "node tools/install.mjs --web"]);
  const answer = await get("/");
  assert.equal(answer.statusCode, 404);
  assert.match(answer.json().error.message, /page is not built/);
});

test("a browser sees a page where there is none; programs get the error", async () => {
  const { get } = await page(built());
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  for (const url of ["/nope", "/v1/nope", "/nope?<script>alert(1)</script>", "/assets/gone.js"]) {
    const shown = await get(url, { accept: browser });
    assert.equal(shown.statusCode, 404, url);
    assert.match(String(shown.headers["content-type"]), /^text\/html/);
    assert.match(shown.body, /no such page/);
    assert.match(shown.body, /href="\/"/);
    assert.ok(!shown.body.includes("alert"), url);
    assert.match(String(shown.headers["content-security-policy"]), /default-src 'none'/);
  }
  for (const accept of ["*/*", "application/json", "application/json, text/plain, */*", ""]) {
    const answer = await get("/nope", { accept });
    assert.equal(answer.statusCode, 404, accept);
    assert.equal(answer.json().error.name, "not_found", accept);
  }
});
