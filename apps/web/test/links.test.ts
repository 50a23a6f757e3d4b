import assert from "node:assert/strict";
import { test } from "node:test";
import { excerpt } from "../src/text/excerpt.ts";
import { isJustEmoji, safeHref, textPieces } from "../src/text/links.ts";

const links = (text: string) =>
  textPieces(text).flatMap((piece) => (piece.kind === "link" ? [piece.href] : []));
const whole = (text: string) =>
  textPieces(text)
    .map((piece) => piece.text)
    .join("");

test("addresses become links without the punctuation of the sentence around them", () => {
  assert.deepEqual(links("see https://example.org/a_(b), or (http://example.org/c)."), [
    "https://example.org/a_(b)",
    "http://example.org/c",
  ]);
  assert.deepEqual(links("www.example.org!"), ["https://www.example.org/"]);
  assert.deepEqual(links("\u8bf7\u770bhttps://example.org/x\u3002\u597d"), ["https://example.org/x"]);
});

test("no other scheme than http and https becomes a link", () => {
  for (const text of [
    "javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://x.example",
  ]) {
    assert.deepEqual(links(text), [], text);
  }
});

test("an address that shows one host and opens another is not a link", () => {
  assert.equal(safeHref("https://bank.example@evil.example/"), undefined);
  assert.deepEqual(links("https://bank.example:x@evil.example"), []);
  assert.deepEqual(links("https://example.org/\u202emoc.knab"), ["https://example.org/"]);
});

test("HTML stays text, and no letter of a text is lost", () => {
  const text = '<img src=x onerror="alert(1)"> & <a href="https://example.org">x</a>\n\ud800 \u202e';
  assert.equal(whole(text), text);
  assert.ok(textPieces(text).every((piece) => piece.kind === "text" || piece.kind === "link"));
});

test("code is recognised inline and as a block", () => {
  assert.deepEqual(textPieces("run `npm start`\n```sh\nnpm test https://example.org\n```"), [
    { kind: "text", text: "run " },
    { kind: "code", text: "npm start" },
    { kind: "text", text: "\n" },
    { kind: "block", text: "npm test https://example.org" },
  ]);
});

test("hostile texts take no noticeable time", () => {
  const started = performance.now();
  for (const text of [
    "https://a.".repeat(2_000),
    `https://${"a".repeat(19_000)}`,
    ")".repeat(19_000),
    `www.${"!)".repeat(9_000)}`,
    "`".repeat(19_999),
  ]) {
    textPieces(text);
  }
  assert.ok(performance.now() - started < 1_000);
});

test("one to three emoji alone are shown large", () => {
  assert.equal(isJustEmoji("\u{1f469}\u200d\u{1f469}\u200d\u{1f467}"), true);
  assert.equal(isJustEmoji("\u{1f600}\u{1f600}\u{1f600}\u{1f600}"), false);
  assert.equal(isJustEmoji("1"), false);
  assert.equal(isJustEmoji("ok \u{1f600}"), false);
});

test("a very long text is cut between characters and lines", () => {
  assert.equal(excerpt("short\ntext"), "short\ntext");
  assert.equal(excerpt("a".repeat(10_000)).length, 2_000);
  assert.equal(excerpt(`${"a".repeat(1_999)}\u{1f600}${"b".repeat(5_000)}`).length, 1_999);
  assert.equal(excerpt("x\n".repeat(500)).split("\n").length, 30);
});
