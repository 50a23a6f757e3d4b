import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { build, type Rollup } from "vite";

/** The SDK of a page: client, protocol, IndexedDB wrapper. A page that needs more must mean to. */
const gzipBytesMax = 40 * 1024;

async function bundle(entry: string): Promise<Rollup.OutputChunk[]> {
  const result = await build({
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      minify: true,
      target: "es2022",
      lib: { entry: join(import.meta.dirname, "../src", entry), formats: ["es"], fileName: "out" },
      rolldownOptions: { external: ["react"] },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]) as Rollup.RollupOutput[];
  return outputs.flatMap(({ output }) => output.filter((part) => part.type === "chunk"));
}

for (const entry of ["index.ts", "react.ts"]) {
  test(`${entry} can be bundled for browsers: nothing of Node is reached, and it is small`, async () => {
    const chunks = await bundle(entry);
    const imports = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports]);
    assert.deepEqual(
      imports.filter((name) => name !== "react" && !chunks.some(({ fileName }) => fileName === name)),
      [],
    );
    const code = chunks.map((chunk) => chunk.code).join("");
    assert.ok(!/["']node:/.test(code), "no node: import");
    assert.ok(!/__vite-browser-external/.test(code), "no module replaced by an empty one");
    const bytes = gzipSync(code).length;
    assert.ok(bytes <= gzipBytesMax, `${entry} has ${bytes} bytes gzipped`);
  });
}
