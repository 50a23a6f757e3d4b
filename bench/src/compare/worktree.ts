/** Another revision of the repository, checked out beside it and ready to run; gone again however the process ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { atExit } from "../process/at-exit.ts";
import { Folder } from "../process/folder.ts";
import { ownTree } from "../process/tree.ts";
import { fileOf, git, type Revision } from "./revision.ts";

/** Links of npm to the packages of the workspace: they must lead into the checkout that they lie in. */
const workspaceLinks = "@hongyan";
const lockFile = "package-lock.json";

export class Worktree {
  readonly path: string;
  readonly #folder = new Folder("compare");
  readonly #release: () => void;

  constructor(revision: Revision) {
    this.path = this.#folder.file("base");
    this.#release = atExit(() => this.remove());
    const { code, text } = git("worktree", "add", "--detach", this.path, revision.commit);
    if (code === 0) return;
    this.remove();
    throw new Error(`git could not check ${revision.title} out:\n${text}`);
  }

  /** Packages: those of this checkout where both lock the same, else what npm installs. */
  async makeReady(revision: Revision, say: (line: string) => void): Promise<void> {
    const isSameLock = fileOf(revision, lockFile) === readFileSync(join(ownTree, lockFile), "utf8").trim();
    if (isSameLock) return this.#linkPackages();
    say(`compare: ${lockFile} differs, installing the packages of the base`);
    await this.#install();
  }

  remove(): void {
    this.#release();
    git("worktree", "remove", "--force", this.path);
    this.#folder.remove();
    git("worktree", "prune");
  }

  #linkPackages(): void {
    const [from, to] = [join(ownTree, "node_modules"), join(this.path, "node_modules")];
    mkdirSync(to);
    for (const name of readdirSync(from)) {
      if (name === workspaceLinks)
        cpSync(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true });
      else symlinkSync(join(from, name), join(to, name));
    }
  }

  async #install(): Promise<void> {
    // A group of its own, so that npm ends too when this process is ended.
    const child = spawn(process.execPath, ["tools/install.mjs"], {
      cwd: this.path,
      detached: true,
      stdio: ["ignore", "inherit", "inherit"],
    });
    const release = atExit(() => endGroup(child));
    const code = await new Promise((resolve) => {
      child.once("error", resolve);
      child.once("exit", resolve);
    });
    release();
    if (code !== 0) throw new Error("the packages of the base could not be installed");
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself a moment ago.
  }
}
