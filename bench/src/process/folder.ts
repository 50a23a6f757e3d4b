import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atExit } from "./at-exit.ts";

/** A fresh folder; `remove` deletes it with everything in it. */
export class Folder {
  readonly path: string;
  readonly #release: () => void;

  constructor(name: string) {
    this.path = mkdtempSync(join(tmpdir(), `hongyan-${name}-`));
    this.#release = atExit(() => this.remove());
  }

  file(name: string): string {
    return join(this.path, name);
  }

  remove(): void {
    this.#release();
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}
