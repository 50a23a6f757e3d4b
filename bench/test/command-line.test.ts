import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLine } from "../src/command-line.ts";

test("a row says what to type to measure it again, not where it was written", () => {
  assert.equal(commandLine(["growth", "--json", "/tmp/x.json", "--full"]), "npm run bench -- growth --full");
  assert.equal(commandLine(["--json=/tmp/x.json"]), "npm run bench");
});
