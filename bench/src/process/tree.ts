/** The checkout whose code is measured: the bench's own, or another one that is compared with it. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ownTree = fileURLToPath(new URL("../../..", import.meta.url));

let measured = ownTree;

/** From now on servers start from this checkout. The load generator stays the bench's own. */
export function measureTree(folder: string): void {
  measured = folder;
}

/** A file of the checkout that is measured. */
export function inTree(file: string): string {
  return join(measured, file);
}
