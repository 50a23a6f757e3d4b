import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Bytes that a folder and everything in it takes on the disk. */
export function diskBytes(path: string): number {
  const about = lstatSync(path);
  const own = about.blocks * 512;
  if (!about.isDirectory()) return own;
  return readdirSync(path).reduce((sum, name) => sum + diskBytes(join(path, name)), own);
}
