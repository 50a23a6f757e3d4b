/** What git knows about the two sides of a comparison. */
import { spawnSync } from "node:child_process";
import { ownTree } from "../process/tree.ts";
import { UsageError } from "../usage.ts";

export interface Revision {
  readonly commit: string;
  /** `1a2b3c4 server: what changed` */
  readonly title: string;
}

/** The commit that `name` means. Throws `UsageError` where there is none. */
export function revisionOf(name: string): Revision {
  if (git("rev-parse", "--is-inside-work-tree").code !== 0)
    throw new UsageError("--compare needs git and a clone of the repository");
  const { code, text } = git("rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`);
  if (code !== 0 || !/^[0-9a-f]{40,64}$/.test(text))
    throw new UsageError(`--compare: git knows no commit ${JSON.stringify(name)}`);
  return { commit: text, title: git("log", "-1", "--format=%h %s", text).text };
}

/** The files as they lie there, committed or not. */
export function headTitle(): string {
  const isChanged = git("status", "--porcelain", "--untracked-files=no").text !== "";
  return `${revisionOf("HEAD").title}${isChanged ? ", with changes that are not committed" : ""}`;
}

/** A file of a commit; undefined where it has none of that name. */
export function fileOf({ commit }: Revision, file: string): string | undefined {
  const { code, text } = git("show", `${commit}:${file}`);
  return code === 0 ? text : undefined;
}

export function git(...args: readonly string[]): { code: number; text: string } {
  const { status, stdout, stderr } = spawnSync("git", [...args], {
    cwd: ownTree,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: status ?? 1, text: (status === 0 ? stdout : (stderr ?? "")).trim() };
}
