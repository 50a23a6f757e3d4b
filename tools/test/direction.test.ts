import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { checkHouse } from "../direction/house.ts";
import { readSource } from "../direction/source.ts";
import { root } from "../root.ts";

/** A small house with the given files in it; returns what is objected to, as `file:line: rule`. */
async function objections(t: TestContext, files: Record<string, string>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "hongyan-house-"));
  t.after(() => rm(folder, { recursive: true }));
  const house: Record<string, string> = {
    "package.json": JSON.stringify({ name: "hongyan", devDependencies: { "fast-check": "1" } }),
    "packages/protocol/package.json": manifest("protocol", []),
    "packages/core/package.json": manifest("core", ["@hongyan/protocol"]),
    "packages/store/package.json": manifest("store", ["@hongyan/core", "classic-level"]),
    "packages/server/package.json": manifest("server", ["@hongyan/core", "@hongyan/store", "fastify"]),
    "packages/client/package.json": manifest("client", ["@hongyan/protocol"]),
    "packages/testkit/package.json": manifest("testkit", ["@hongyan/core", "@hongyan/client"]),
    "apps/web/package.json": manifest("web", ["@hongyan/client", "react"]),
    ...files,
  };
  for (const [file, text] of Object.entries(house)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  return (await checkHouse(folder)).map(({ file, line, rule }) => `${file}:${line}: ${rule}`);
}

function manifest(name: string, dependencies: readonly string[]): string {
  return JSON.stringify({
    name: `@hongyan/${name}`,
    exports: { ".": "./src/index.ts" },
    dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, "1"])),
  });
}

/** Each violation and what is said about it. */
const violations: readonly {
  readonly title: string;
  readonly files: Record<string, string>;
  readonly says: RegExp;
}[] = [
  {
    title: "protocol imports core",
    files: { "packages/protocol/src/a.ts": 'import { x } from "@hongyan/core";\n' },
    says: /src\/a\.ts:1: protocol must not import core/,
  },
  {
    title: "core imports store",
    files: { "packages/core/src/a.ts": '\n\nimport { x } from "@hongyan/store";\n' },
    says: /a\.ts:3: core must not import store/,
  },
  {
    title: "core imports node:fs",
    files: { "packages/core/src/a.ts": 'import fs from "node:fs";\n' },
    says: /core must not import node:fs/,
  },
  {
    title: "core imports an npm package",
    files: { "packages/core/src/a.ts": 'import x from "fast-check";\n' },
    says: /core must not import the package fast-check/,
  },
  {
    title: "store imports server",
    files: { "packages/store/src/a.ts": 'export * from "@hongyan/server";\n' },
    says: /store must not import server/,
  },
  {
    title: "server imports client",
    files: { "packages/server/src/a.ts": 'const c = await import("@hongyan/client");\n' },
    says: /server must not import client/,
  },
  {
    title: "client imports core",
    files: { "packages/client/src/a.ts": 'import type { X } from "@hongyan/core";\n' },
    says: /client must not import core/,
  },
  {
    title: "what a browser loads imports node:",
    files: {
      "packages/client/src/index.ts": 'import { a } from "./a.ts";\n',
      "packages/client/src/a.ts": 'import "node:net";\n',
    },
    says: /a\.ts:1: browsers load this file .*must not import node:net/,
  },
  {
    title: "the engine of the client reads a clock",
    files: { "packages/client/src/engine/a.ts": "const now = Date.now();\n" },
    says: /the engine of the client must not use Date\.now/,
  },
  {
    title: "a page imports protocol for more than types",
    files: { "apps/web/src/a.tsx": 'import { limits } from "@hongyan/protocol";\n' },
    says: /apps must not import protocol but for types/,
  },
  {
    title: "a page imports server",
    files: { "apps/web/src/a.ts": 'import { x } from "@hongyan/server";\n' },
    says: /apps must not import server/,
  },
  {
    title: "something shipped imports testkit",
    files: { "packages/server/src/a.ts": 'import { x } from "@hongyan/testkit";\n' },
    says: /server must not import testkit/,
  },
  {
    title: "an undeclared dependency",
    files: { "packages/server/src/a.ts": 'import x from "lodash";\n' },
    says: /lodash is not declared in packages\/server\/package\.json/,
  },
  {
    title: "an undeclared package of the workspace",
    files: { "packages/server/src/a.ts": 'import { x } from "@hongyan/protocol";\n' },
    says: /@hongyan\/protocol is not declared/,
  },
  {
    title: "a development dependency in shipped code",
    files: { "packages/server/src/a.ts": 'import x from "fast-check";\n' },
    says: /fast-check is not declared in packages\/server/,
  },
  {
    title: "a path into another package",
    files: { "packages/core/src/a.ts": 'import { x } from "../../protocol/src/index.ts";\n' },
    says: /leaves the package @hongyan\/core/,
  },
  {
    title: "a part of a package that it does not export",
    files: { "packages/core/src/a.ts": 'import { x } from "@hongyan/protocol/src/x.ts";\n' },
    says: /does not export/,
  },
  {
    title: "a cycle of files",
    files: {
      "packages/core/src/a.ts": 'import { b } from "./b.ts";\n',
      "packages/core/src/b.ts": 'import { a } from "./a.ts";\n',
    },
    says: /import cycle: .*a\.ts → .*b\.ts → .*a\.ts/,
  },
  {
    title: "a long file",
    files: { "packages/core/src/a.ts": "//\n".repeat(501) },
    says: /501 lines; a file may have 500/,
  },
  {
    title: "a long facade",
    files: { "packages/core/src/session.ts": "//\n".repeat(251) },
    says: /251 lines; a facade may have 250/,
  },
  ...[
    "const t = Date.now();",
    "const t = new Date();",
    "const t = performance.now();",
    "setTimeout(() => 1, 5);",
    "setInterval(f, 5);",
    "setImmediate(f);",
    "queueMicrotask(f);",
    "const r = Math.random();",
    "const r = crypto.randomUUID();",
    "const e = process.env;",
    'const a = await fetch("x");',
    "globalThis.x = 1;",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: code inside of a template is code
    "const s = `${Date.now()}`;",
  ].map((line) => ({
    title: `core says ${line}`,
    files: { "packages/core/src/a.ts": `\n${line}\n` },
    says: /a\.ts:2: core must not use/,
  })),
];

for (const { title, files, says } of violations) {
  test(`the direction of the house is kept: ${title}`, async (t) => {
    const found = await objections(t, files);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", says);
  });
}

test("what follows the direction is not objected to", async (t) => {
  const found = await objections(t, {
    "packages/protocol/src/index.ts": "export const limits = 1;\n",
    "packages/core/src/index.ts":
      'import { limits } from "@hongyan/protocol";\nimport type { B } from "./b.ts";\n',
    "packages/core/src/b.ts":
      'import type { A } from "./index.ts"; // setTimeout is only named here, and "Date.now()"\n/* process.env */ const s = "Math.random()"; function now(date: Date) { clock.now(date.now); this.process.x; }\n',
    "packages/client/src/node.ts": 'import { connect } from "node:net";\n',
    "packages/client/src/node/file-outbox.ts": 'import { open } from "node:fs/promises";\n',
    "packages/core/test/a.test.ts":
      'import fc from "fast-check";\nimport { test } from "node:test";\nimport { x } from "@hongyan/testkit";\n',
    "apps/web/src/a.ts":
      'import type { Frame } from "@hongyan/protocol";\nimport { Client } from "@hongyan/client";\nimport React from "react";\n',
    "tools/a.ts": 'import { x } from "@hongyan/server";\n',
  });
  assert.deepEqual(found, []);
});

test("imports are found in every form, and not in comments and strings", () => {
  const text = [
    'import a from "a";',
    'import { type B, type C } from "b";',
    'import {\n  d,\n} from "d";',
    'export * from "e";',
    'import "f";',
    'const g = import("g");',
    'type H = import("h").H;',
    '// import x from "x1"',
    '/* import x from "x2" */',
    "const s = 'import x from \"x3\"';",
    'const r = /import x from "x4"/;',
    'import type { I } from "i";',
  ].join("\n");
  const { imports } = readSource(text);
  assert.deepEqual(
    imports.map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? " type" : ""}`),
    ["a", "b type", "d", "e", "f", "g", "h", "i type"],
  );
});

test("the tree itself keeps the direction", async () => {
  assert.deepEqual(await checkHouse(root), []);
});
