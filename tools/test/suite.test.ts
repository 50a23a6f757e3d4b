import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { root } from "../root.ts";
import { fastFiles, suiteFiles } from "../suite/files.ts";

/** Runs two phases of one file each in a process of its own; resolves to what it printed and whether it was green. */
async function runPhases(
  t: TestContext,
  first: string,
  second: string,
): Promise<{ output: string; code: number }> {
  const folder = await mkdtemp(join(tmpdir(), "hongyan-suite-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  await writeFile(join(folder, "a.test.mjs"), `import { test } from "node:test";\n${first}`);
  await writeFile(join(folder, "b.test.mjs"), `import { test } from "node:test";\n${second}`);
  const program = `
    import { runSuite } from ${JSON.stringify(join(root, "tools/suite/suite.ts"))};
    const phase = (file) => ({ files: [${JSON.stringify(`${folder}/`)} + file], concurrency: 1, timeoutMs: 10_000 });
    process.exitCode = (await runSuite([phase("a.test.mjs"), phase("b.test.mjs")])) ? 0 : 1;`;
  const runner = join(folder, "runner.mjs");
  await writeFile(runner, program);
  // A test runner inside of a test runner would report to the outer one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, [runner], { env }, (error, stdout, stderr) =>
      resolve({ output: stdout + stderr, code: error === null ? 0 : 1 }),
    );
  });
}

test("the suite ends with one summary over all phases", async (t) => {
  const { output, code } = await runPhases(
    t,
    'test("one", () => {});',
    'test("two", () => {}); test.skip("three", () => {});',
  );
  assert.equal(code, 0, output);
  assert.match(output, /tests 3\n/);
  assert.match(output, /pass 2\n/);
  assert.match(output, /skipped 1\n/);
  assert.equal(output.match(/ tests \d/g)?.length, 1, output);
});

test("a failure in any phase fails the suite, and is shown", async (t) => {
  const { output, code } = await runPhases(
    t,
    'test("one", () => { throw new Error("no wind"); });',
    'test("two", () => {});',
  );
  assert.equal(code, 1);
  assert.match(output, /no wind/);
  assert.match(output, /fail 1\n/);
});

test("a file that cannot be loaded fails the suite", async (t) => {
  const { code } = await runPhases(t, 'test("one", () => {});', "import './none.mjs';");
  assert.equal(code, 1);
});

test("files are chosen by a part of their path; slow ones are no part of the check", async () => {
  const { parallel, browser, serial } = await suiteFiles(["protocol/test/vectors"]);
  assert.deepEqual([...parallel, ...browser, ...serial], ["packages/protocol/test/vectors.test.ts"]);
  assert.ok((await fastFiles()).every((file) => !file.includes(".slow.") && !file.startsWith("test/")));
});

test("an unknown step or part of a path ends with 2 and one line that says what there is", async () => {
  const run = (...args: string[]) =>
    new Promise<{ code: unknown; errors: string }>((resolve) => {
      execFile(process.execPath, args, { cwd: root }, (error, _, errors) =>
        resolve({ code: error?.code ?? 0, errors }),
      );
    });
  const check = await run("tools/check.ts", "types", "nonsense");
  assert.equal(check.code, 2);
  assert.match(
    check.errors,
    /^npm run check: there is no step nonsense; the steps are: lint types [^\n]*\n$/,
  );
  const suite = await run("tools/test.ts", "no-such-file-anywhere");
  assert.equal(suite.code, 2);
  assert.match(suite.errors, /^npm test: no test file has "no-such-file-anywhere" in its path[^\n]*\n$/);
});
