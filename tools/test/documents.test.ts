import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { checkBlocks, fateOf } from "../documents/blocks.ts";
import { checkDependencies } from "../documents/dependencies.ts";
import { readDocuments } from "../documents/library.ts";
import { checkLinks } from "../documents/links.ts";
import { parseDocument } from "../documents/markdown.ts";
import { checkMessages } from "../documents/messages.ts";
import { runDocument, shows } from "../documents/program.ts";
import { remake } from "../documents/tables.ts";
import { checkTranslation } from "../documents/translation.ts";
import { checkTypes } from "../documents/types.ts";
import { root } from "../root.ts";

const fence = "```";

function block(info: string, text: string): string {
  return `${fence}${info}\n${text}\n${fence}\n`;
}

async function folderWith(t: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hongyan-documents-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  return folder;
}

test("a link to a file, a heading or a named file that is not there is objected to", async (t) => {
  const folder = await folderWith(t, {
    "README.md": [
      "# One",
      "[good](docs/a.md#a-heading-with-code) [self](#one) [out](https://example.com)",
      "[file](docs/none.md)",
      "[anchor](docs/a.md#nothing)",
      "`packages/core/src/none.ts` and `docs/a.md`",
      "![picture](none.svg)",
    ].join("\n"),
    "docs/a.md": "# A heading, with `code`!\n",
  });
  const found = await checkLinks(folder, await readDocuments(folder));
  assert.deepEqual(
    found.map(({ file, line }) => `${file}:${line}`),
    ["README.md:3", "README.md:4", "README.md:6", "README.md:5"],
  );
});

test("blocks: no reason, unknown words, unknown languages and bad JSON are objected to", () => {
  const text = [
    block("sh no-run:", "ls"),
    block("sh perhaps", "ls"),
    block("cobol", "MOVE"),
    block("json", "{"),
    block("tsx", "const a = 1;"),
    block("sh", "ls"),
    block("sh no-run: needs two machines", "ls"),
    block("text output", "ls"),
  ].join("");
  const found = checkBlocks(parseDocument("a.md", text));
  assert.deepEqual(
    found.map(({ line }) => line),
    [1, 4, 7, 10, 13],
  );
  assert.deepEqual(fateOf({ language: "ts", info: "", text: "", line: 1 }), { kind: "program" });
});

test("a TypeScript block with a wrong type is objected to, at its line, also where it does not run", async () => {
  const text = `# A\n\n${block("ts no-run: shown only", 'import { limits } from "@hongyan/protocol";\n\nconst a: string = limits.headerBytes;')}`;
  const found = await checkTypes(root, [parseDocument("docs/a.md", text)]);
  assert.equal(found.length, 1);
  assert.equal(found[0]?.line, 6);
  assert.match(found[0]?.message ?? "", /TS2322/);
});

test("a table that the code has moved away from is objected to, and made anew", async () => {
  const text = "# A\n\n<!-- made: numbers -->\n\nold\n\n<!-- end -->\nafter\n";
  const { text: made, objections } = await remake(parseDocument("a.md", text), { numbers: () => "new" });
  assert.equal(objections.length, 1);
  assert.equal(objections[0]?.line, 3);
  assert.equal(made, "# A\n\n<!-- made: numbers -->\n\nnew\n\n<!-- end -->\nafter\n");
  const again = await remake(parseDocument("a.md", made), { numbers: () => "new" });
  assert.deepEqual(again.objections, []);
});

test("a dependency without a row, and a row without a dependency, are objected to", async (t) => {
  const folder = await folderWith(t, {
    "package.json": JSON.stringify({ devDependencies: { one: "1", two: "1" } }),
  });
  const page = parseDocument("docs/reference/dependencies.md", "| `one` | why |\n| `three` | why |\n");
  const found = await checkDependencies(folder, page);
  assert.deepEqual(
    found.map(({ message }) => message),
    ["two has no row", "three is no dependency any more"],
  );
});

test("a translation with another block, a missing section or a missing link is objected to", () => {
  const original = parseDocument(
    "README.md",
    `## A\n[x](docs/x.md)\n${block("sh", "npm start # now")}## B\n`,
  );
  const good = parseDocument(
    "README.zh-CN.md",
    `## 甲\n[x](docs/x.md)\n${block("sh", "npm start # 现在")}## 乙\n`,
  );
  const bad = parseDocument("README.zh-CN.md", `## 甲\n${block("sh", "npm test")}`);
  assert.deepEqual(checkTranslation(original, good), []);
  assert.equal(checkTranslation(original, bad).length, 3);
});

test("output: lines in order, with … for anything", () => {
  assert.ok(shows('{"seq":1,"time":17}\nnext\n', '{"seq":1,"time":…}\nnext\n'));
  assert.ok(!shows('{"seq":2,"time":17}\n', '{"seq":1,"time":…}\n'));
  assert.ok(!shows("b\na\n", "a\nb\n"));
});

test("a document whose command fails, or prints something else, is objected to at its line", async () => {
  const failing = parseDocument("docs/a.md", `# A\n\n${block("sh", "echo fine")}\n${block("sh", "false")}`);
  const [failed] = await runDocument(root, failing);
  assert.equal(failed?.line, 7);
  const other = parseDocument(
    "docs/b.md",
    `${block("sh", "curl -s http://127.0.0.1:8080/healthz")}\n${block("text output", '{"status":"bad"}')}`,
  );
  const [differs] = await runDocument(root, other);
  assert.match(differs?.message ?? "", /"status":"ok"/);
  const good = parseDocument(
    "docs/c.md",
    `${block("ts", 'console.log((await fetch("http://127.0.0.1:8080/healthz")).status);')}\n${block("text output", "200")}`,
  );
  assert.deepEqual(await runDocument(root, good), []);
});

test("a quoted message that nothing says is objected to", async (t) => {
  const folder = await folderWith(t, {
    "packages/a/src/a.ts": `say(\`port \${port} is taken by another program\`); warn("page.missing");`,
  });
  const quote =
    "`port … is taken by another program`, `page.missing`, `port … is taken by nobody`, `page.there`";
  const found = await checkMessages(folder, parseDocument("a.md", `${quote}\n\nDo \`npm start\`.\n`));
  assert.deepEqual(
    found.map(({ message }) => message),
    ["nothing says `port … is taken by nobody`", "nothing says `page.there`"],
  );
});
