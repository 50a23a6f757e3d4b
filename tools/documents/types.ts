/** Checks the types of all TypeScript blocks in one run of the compiler. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fateOf } from "./blocks.ts";
import type { Objection } from "./library.ts";
import type { Document } from "./markdown.ts";

export async function checkTypes(root: string, documents: readonly Document[]): Promise<Objection[]> {
  const folder = await mkdtemp(join(tmpdir(), "hongyan-types-"));
  try {
    const places = new Map<string, { file: string; line: number }>();
    await mkdir(join(folder, "blocks"));
    for (const [name, target] of Object.entries({ node_modules: "node_modules", packages: "packages" }))
      await symlink(join(root, target), join(folder, name));
    for (const document of documents) {
      for (const block of document.blocks) {
        const fate = fateOf(block);
        if (
          typeof fate === "string" ||
          (fate.kind !== "program" && fate.kind !== "types") ||
          !/^tsx?$/.test(block.language)
        )
          continue;
        const name = `block${places.size}.${block.language}`;
        places.set(name, { file: document.file, line: block.line });
        // A block without imports would share its names with all others.
        await writeFile(join(folder, "blocks", name), `${block.text}export {};\n`);
      }
    }
    if (places.size === 0) return [];
    const options = { noUnusedLocals: false, noUnusedParameters: false, skipLibCheck: true };
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: join(root, "tsconfig.json"),
        compilerOptions: { ...options, typeRoots: [join(root, "node_modules/@types")] },
        include: ["blocks"],
      }),
    );
    const output = await compile(root, folder);
    return [...output.matchAll(/^blocks\/(block\d+\.tsx?)\((\d+),\d+\): (.*)$/gm)].map(
      ([, name = "", line = "1", message = ""]) => {
        const place = places.get(name) ?? { file: name, line: 0 };
        return { file: place.file, line: place.line + Number(line), message };
      },
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

function compile(root: string, folder: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      join(root, "node_modules/.bin/tsc"),
      ["-p", folder, "--pretty", "false"],
      { cwd: folder, maxBuffer: 16 * 1024 * 1024 },
      (_error, stdout) => resolve(stdout),
    );
  });
}
