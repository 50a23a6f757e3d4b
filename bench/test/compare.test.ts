import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { run } from "./command.ts";

const isClone =
  spawnSync("git", ["rev-parse", "--verify", "HEAD"], { cwd: import.meta.dirname }).status === 0;
const skip = isClone ? false : "this is no clone of the repository";

test("what cannot be compared is refused before anything is checked out", { skip }, async () => {
  const wrong: [string[], RegExp][] = [
    [["--compare", "no-such-revision"], /git knows no commit "no-such-revision"/],
    [["--compare", ""], /git knows no commit ""/],
    [["--compare=--help"], /git knows no commit "--help"/],
    [["--compare", "HEAD:package.json"], /git knows no commit/],
    [["--compare", "HEAD", "sideways"], /unknown scenario "sideways"/],
    [["--compare", "HEAD", "--rounds", "0"], /--rounds must be a whole number from 1 to 30/],
    [["--compare", "HEAD", "--profile"], /--profile goes with neither --peers nor --compare/],
    [["--compare"], /--compare needs a value/],
  ];
  for (const [args, message] of wrong) {
    const { code, err } = await run("main", args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, message);
  }
});

test("two servers are measured in turns, and nothing of the base stays behind", {
  skip,
  timeout: 150_000,
}, async () => {
  const { code, out, err } = await run("main", [
    ...["--compare", "HEAD", "backlog", "--quick", "--rounds", "2"],
  ]);
  // With two rounds nothing can be shown to be slower.
  assert.equal(code, 0, err);
  assert.deepEqual(err.match(/(?<=compare \d\/2: )\w+/g), ["base", "head", "head", "base"], err);
  assert.match(out, /^scenario +variant +unit +base +head +change/);
  assert.match(out, /backlog +tcp +s +\d.*(same within the noise|more rounds)/);
  const { stdout } = spawnSync("git", ["worktree", "list"], { cwd: import.meta.dirname, encoding: "utf8" });
  assert.doesNotMatch(stdout, /hongyan-compare-/);
});
