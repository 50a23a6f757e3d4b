/** Programs of the machine: whether they are there, what they print, and how Debian gets them. */
import { execFile } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where Debian puts servers is not in everybody's PATH. */
const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/usr/bin", "/usr/local/bin"];

/** The path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** What a program prints; rejects where it fails, with its last words. */
export function output(file: string, args: readonly string[], timeoutMs = 600_000): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      file,
      args,
      { timeout: timeoutMs, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" } },
      (error, stdout, stderr) => {
        const text = `${stdout}${stderr}`.trim();
        if (error === null) resolve(text);
        else reject(new Error(`${file} ${args.join(" ")}: ${text.slice(-1000) || error.message}`));
      },
    );
  });
}

const policyFile = "/usr/sbin/policy-rc.d";
let isUpdated = false;

/** Installs Debian packages without starting what they bring. */
export async function installPackages(
  packages: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error(`needs root to install ${packages.join(", ")}`);
  const apt = findProgram("apt-get");
  if (apt === undefined) throw new Error(`no apt-get here to install ${packages.join(", ")}`);
  say(`apt-get install ${packages.join(" ")}`);
  const options = ["-qq", "-o", "DPkg::Lock::Timeout=300"];
  const isOurs = !existsSync(policyFile);
  if (isOurs) writeFileSync(policyFile, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    if (!isUpdated) await output(apt, [...options, "update"]);
    isUpdated = true;
    await output(apt, [...options, "install", "-y", "--no-install-recommends", ...packages]);
  } finally {
    if (isOurs) rmSync(policyFile, { force: true });
  }
}
