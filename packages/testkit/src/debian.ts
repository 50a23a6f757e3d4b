/** Programs of the machine: whether they are there, what they print, and how Debian gets them. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
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

/** Test files run side by side: only one of them may ask apt at a time. */
const lock = "/run/lock/hongyan-apt";

/** Without a policy that says no, Debian starts the servers that it installs. */
const script = `
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap "rm -f $policy" EXIT
  printf '#!/bin/sh\\nexit 101\\n' > $policy && chmod 755 $policy
fi
apt="apt-get -qq -o DPkg::Lock::Timeout=300"
$apt update && $apt install -y --no-install-recommends "$@"
`;

/** Installs Debian packages without starting what they bring. */
export async function installPackages(
  packages: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error(`needs root to install ${packages.join(", ")}`);
  if (findProgram("apt-get") === undefined)
    throw new Error(`no apt-get here to install ${packages.join(", ")}`);
  say(`apt-get install ${packages.join(" ")}`);
  await output("flock", [lock, "sh", "-c", script, "sh", ...packages]);
}

/** The path of a program, after its Debian package was installed where it is missing. */
export async function ensureDebianPackage(name: string, binary: string): Promise<string> {
  if (findProgram(binary) === undefined) await installPackages([name], console.error);
  const program = findProgram(binary);
  if (program === undefined) throw new Error(`the package ${name} brings no ${binary}`);
  return program;
}
