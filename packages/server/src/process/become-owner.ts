import { statSync } from "node:fs";

/**
 * Root that works on the data of another user would leave files among them which that user's server cannot open: it
 * goes on as the owner of `directory`, for good. Everybody else stays who they are. To be called when all code is loaded,
 * which the owner need not be able to read.
 */
export function becomeOwner(directory: string): void {
  const owner = statSync(directory, { throwIfNoEntry: false });
  if (process.getuid?.() !== 0 || owner === undefined || owner.uid === 0) return;
  process.setgroups?.([owner.gid]);
  process.setgid?.(owner.gid);
  process.setuid?.(owner.uid);
}
