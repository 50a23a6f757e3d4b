import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { root } from "../root.ts";

interface Done {
  readonly code: number;
  readonly output: string;
}

function run(t: TestContext, program: string, args: readonly string[]): Promise<Done> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd: root }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
    t.after(() => child.kill("SIGKILL"));
  });
}

test("where nothing is to be done, nothing is said, also by two at once", async (t) => {
  const install = () => run(t, process.execPath, ["tools/install.mjs"]);
  assert.deepEqual(await Promise.all([install(), install()]), [
    { code: 0, output: "" },
    { code: 0, output: "" },
  ]);
});

test("what takes long is told at a terminal, and to no log", async (t) => {
  const tree = JSON.stringify(join(root, "tools/install/tree.mjs"));
  const work = (options: string) =>
    `import { telling } from ${tree}; import { setTimeout } from "node:timers/promises";
     console.log(await telling("installing", () => setTimeout(200, "done"), ${options}));`;
  const said = async (options: string) =>
    (await run(t, process.execPath, ["--input-type=module", "-e", work(options)])).output;
  assert.equal(await said("{ everyMs: 10 }"), "done\n");
  assert.match(await said("{ everyMs: 10, isWatched: true }"), /^(install: still installing, 0 s\n)+done\n$/);
});

test("a system library that the pinned Node lacks is named, and nothing else is taken for one", async (t) => {
  const libraries = JSON.stringify(join(root, "tools/install/libraries.mjs"));
  const said = async (output: string) => {
    const work = `import { supplyLibrary } from ${libraries};
      console.log(await supplyLibrary(${JSON.stringify(output)}).catch((error) => error.message));`;
    return (await run(t, process.execPath, ["--input-type=module", "-e", work])).output;
  };
  assert.equal(await said("spawn node ENOENT"), "false\n");
  assert.equal(
    await said(
      "node: error while loading shared libraries: libnone.so.1: cannot open shared object file: No such file or directory",
    ),
    "the pinned Node needs the system library libnone.so.1\n",
  );
});

test("work of one name is done by one process at a time, and a lock of the dead is taken over", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "hongyan-lock-"));
  t.after(() => rm(folder, { recursive: true }));
  const tree = JSON.stringify(join(root, "tools/install/tree.mjs"));
  const name = JSON.stringify(`test-${process.pid}`);
  t.after(async () => {
    const left = (await readdir(tmpdir())).filter((name) => name.startsWith(`hongyan-test-${process.pid}-`));
    await Promise.all(left.map((name) => rm(join(tmpdir(), name), { recursive: true })));
  });
  const die = `import { alone } from ${tree}; await alone(${name}, () => process.kill(process.pid, "SIGKILL"));`;
  assert.equal((await run(t, process.execPath, ["--input-type=module", "-e", die])).code, 1);
  const work = `import { alone } from ${tree}; import { mkdir, rmdir } from "node:fs/promises";
    for (let i = 0; i < 3; i++) await alone(${name}, async () => { await mkdir(${JSON.stringify(join(folder, "busy"))}); await rmdir(${JSON.stringify(join(folder, "busy"))}); });`;
  const workers = await Promise.all(
    [1, 2, 3].map(() => run(t, process.execPath, ["--input-type=module", "-e", work])),
  );
  assert.deepEqual(
    workers.map(({ code }) => code),
    [0, 0, 0],
    workers.map(({ output }) => output).join(""),
  );
});
