import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeTrace } from "../src/trace.ts";
import { run } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "hongyan-replay-"));
after(() => rmSync(folder, { recursive: true }));

const trace = join(folder, "trace.jsonl");
writeFileSync(
  trace,
  makeTrace({ seed: 1, messages: 300, users: 30, groups: 5 })
    .map(
      ({ seconds, group, thread, user, text }) => `${JSON.stringify([seconds, group, thread, user, text])}\n`,
    )
    .join(""),
);

test("G1 G2 G3 G4 G5 a community on every transport loses nothing while its server is killed twice", {
  timeout: 90_000,
}, async () => {
  const { code, out, err } = await run("replay", [trace, "--kills", "2", "--window", "500"]);
  assert.equal(code, 0, `${err}\n${out}`);
  assert.match(out, /^messages +300 in /m);
  assert.match(out, /^kill 1 .*\nkill 2 /m);
  assert.doesNotMatch(out, /^CPU .* server \d/m);
  assert.match(out, /^verdict +nothing lost, nothing twice, one order$/m);
});

test("a trace can be played at a multiple of its own speed", { timeout: 60_000 }, async () => {
  const { code, out, err } = await run("replay", [trace, "--messages", "20", "--speed", "100000"]);
  assert.equal(code, 0, `${err}\n${out}`);
  assert.match(out, /^messages +20 in /m);
});

test("what a moment says nothing about is left out", { timeout: 60_000 }, async () => {
  const { code, out, err } = await run("replay", [trace, "--messages", "4"]);
  assert.equal(code, 0, `${err}\n${out}`);
  assert.match(out, /^messages +4 in 0\.\d s$/m);
  assert.doesNotMatch(out, /^CPU|%/m);
});

test("what cannot be played is refused with a reason", async () => {
  const refusals: [string[], RegExp][] = [
    [[], /FILE with the trace is missing/],
    [[join(folder, "nowhere")], /no such file/],
    [["x".repeat(100_000)], /^replay: x{100}…(?!.*x{101})/s],
    [[trace, trace], /one FILE at a time/],
    [[trace, "--kills", "-1"], /--kills must be a whole number from 0 to 1000/],
    [[trace, "--kills", "--users"], /--kills needs a value/],
    [[trace, "--kills", "300"], /--kills must be below the number of messages/],
    [[trace, "--users", "0"], /--users must be a whole number/],
    [[trace, "--speed", "fast"], /--speed must be full/],
    [[trace, "--unknown"], /^replay: unknown flag --unknown\nTry npm run replay -- --help\.$/m],
  ];
  for (const [args, reason] of refusals) {
    const { code, err } = await run("replay", args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, reason);
  }
});
