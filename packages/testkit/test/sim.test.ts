import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { plantNames } from "../src/plants/plants.ts";
import { stepsOf } from "../src/shrink.ts";
import { simulate } from "../src/simulate.ts";

/** The command behind `npm run sim`. */
function sim(...args: string[]): { code: number | null; lines: string[]; errors: string } {
  const main = join(import.meta.dirname, "../src/sim.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  return { code: status, lines: stdout.trim().split("\n"), errors: stderr };
}

test("the planted bugs are listed one a line", () => {
  assert.deepEqual(sim("--list-plants").lines, [...plantNames]);
});

test("a failing seed exits with 1 and ends with the one line that shows it again, smaller", () => {
  const found = sim("--seeds", "5", "--plant", "forget-dedupe");
  assert.equal(found.code, 1);
  assert.match(found.lines.at(-2) ?? "", /^seed \d+: G2: .* is stored twice/);
  assert.ok(found.lines.some((line) => /^[\d,]+ seeds? run, 1 failed, /.test(line)));
  assert.ok(found.lines.every((line) => !line.includes("passed")));
  const line = found.lines.at(-1) ?? "";
  assert.match(line, /^npm run sim -- --seed \d+ --plant forget-dedupe --actions \S+ .*--steps \d+$/);
  const again = sim(...line.split(" ").slice(4));
  assert.equal(again.code, 1);
  assert.deepEqual(again.lines.slice(-2), found.lines.slice(-2));
  // Without the bug the same world is in order.
  assert.equal(sim("--seed", line.split(" ")[5] ?? "").code, 0);
});

test("what only the look at the end finds is shown again by its line", async () => {
  const found = sim("--seeds", "20", "--plant", "skip-a-device");
  assert.equal(found.code, 1);
  const line = found.lines.at(-1) ?? "";
  assert.doesNotMatch(line, /--steps/, `${found.lines.at(-2)}`);
  const again = sim(...line.split(" ").slice(4));
  assert.equal(again.code, 1);
  assert.deepEqual(again.lines.slice(-2), found.lines.slice(-2));
  // The same holds for a world that does not come to rest.
  const restless = await simulate(8, { plant: "lost-outbox" });
  assert.equal(restless.objection?.guarantee, "liveness");
  assert.equal(stepsOf(restless), undefined);
});

test("some seeds are green, and say what they did", () => {
  const { code, lines } = sim("--seeds", "10", "--json");
  assert.equal(code, 0);
  const { seeds, steps, failures } = JSON.parse(lines[0] ?? "") as {
    seeds: number;
    steps: number;
    failures: unknown[];
  };
  assert.equal(seeds, 10);
  assert.ok(steps > 10_000);
  assert.deepEqual(failures, []);
});

test("a green run ends with a line that says that it passed", () => {
  assert.match(
    sim("--seeds", "2").lines.at(-1) ?? "",
    /^2 seeds passed, \d{1,3}(,\d{3})* steps?, [\d,]+ messages?, \d+\.\d\d simulated hours in \d+\.\d s$/,
  );
  assert.match(sim("--seed", "3").lines.at(-1) ?? "", /^1 seed passed, /);
});

test("a wrong command line is explained", () => {
  for (const args of [
    ["--plant", "no-such-bug", "--seed", "1"],
    ["--seeds", "many"],
    ["--seeds", "0"],
    ["--nonsense"],
    ["--without", "rain", "--seed", "1"],
  ]) {
    const { code, errors } = sim(...args);
    assert.equal(code, 2, args.join(" "));
    assert.match(errors, /--seeds N/);
  }
  assert.match(sim("--seeds", "-1").errors, /^--seeds wants a whole number, not -1$/m);
  assert.match(sim("--seeds", "--json").errors, /^--seeds needs a value$/m);
  assert.match(sim("--json=1").errors, /^--json takes no value$/m);
  assert.match(sim("3").errors, /^unexpected argument "3"$/m);
  assert.ok(sim("--plant", "x".repeat(100_000)).errors.length < 3000);
});
