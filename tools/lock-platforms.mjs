/**
 * Completes package-lock.json after `npm install`: a registry mirror that lacks the optional packages of other
 * platforms leaves holes in it, and `npm ci` then refuses the whole lock, everywhere. Run it after every change of
 * a dependency: `node tools/lock-platforms.mjs`.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./install/tree.mjs";

const path = join(root, "package-lock.json");
const lock = JSON.parse(await readFile(path, "utf8"));
const target = /(android|darwin|freebsd|linux|win32)-(arm64|arm|x64|ia32|ppc64|s390x|riscv64)/;
for (const [owner, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const place = `node_modules/${name}`;
    const [, os, cpu] = target.exec(name) ?? [];
    if (lock.packages[place] !== undefined || lock.packages[`${owner}/${place}`] !== undefined) continue;
    if (os === undefined || !/^\d/.test(version)) continue;
    const libc = os === "linux" ? { libc: [name.includes("musl") ? "musl" : "glibc"] } : {};
    lock.packages[place] = {
      version,
      cpu: [cpu],
      ...(entry.dev ? { dev: true } : {}),
      ...libc,
      optional: true,
      os: [os],
    };
    console.log(`added ${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([one], [other]) => one.localeCompare(other, "en")),
);
await writeFile(path, `${JSON.stringify(lock, null, 2)}\n`);
