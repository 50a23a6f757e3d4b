/** PostgreSQL's programs, from Debian's packages, and the user that they run as. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, installPackages } from "./debian.ts";

const programs = "/usr/lib/postgresql";
const clusterConfig = "/etc/postgresql-common/createcluster.conf";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Why there can be no server here, for tests that are skipped then; undefined where there can. */
export function whyNoPostgres(): string | undefined {
  if (findBin() !== undefined || (process.getuid?.() === 0 && findProgram("apt-get") !== undefined))
    return undefined;
  return `no PostgreSQL in ${programs}, and only root on Debian can install it`;
}

/** The programs of the newest version that is installed. */
export function findBin(): string | undefined {
  if (!existsSync(programs)) return undefined;
  const versions = readdirSync(programs).sort((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(programs, version, "bin"))
    .find((bin) => existsSync(join(bin, "postgres")));
}

/** Debian would make a cluster of its own with the server: it is told not to before the server comes. */
export async function install(): Promise<string> {
  const say = (line: string): void => console.error(line);
  const isOurs = !existsSync(clusterConfig);
  await installPackages(["postgresql-common"], say);
  if (isOurs) writeFileSync(clusterConfig, "create_main_cluster = false\n");
  await installPackages(["postgresql"], say);
  const bin = findBin();
  if (bin === undefined)
    throw new Error(`postgresql is installed, but there is no ${programs}/*/bin/postgres`);
  return bin;
}

/** PostgreSQL refuses to run as root: the user that Debian's package brings. Undefined where we are not root. */
export function unprivileged(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((one) => one.startsWith("postgres:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  if (uid === undefined || gid === undefined)
    throw new Error("there is no user postgres to run the server as");
  return { uid: Number(uid), gid: Number(gid) };
}
