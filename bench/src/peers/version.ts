import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";

/** The version of an npm package that is installed. Throws where it is not. */
export function packageVersion(name: string): string {
  const file = findPackageJSON(name, import.meta.url);
  if (file === undefined) throw new Error(`the npm package ${name} is not installed`);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
