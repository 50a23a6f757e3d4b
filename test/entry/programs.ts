/** What the entry machines of tests run, from Debian's packages; and whether this machine lets us have machines. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { ensureDebianPackage, findProgram, installPackages } from "@hongyan/testkit/debian";

const streamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";
const packages = {
  nginx: "nginx",
  keepalived: "keepalived",
  curl: "curl",
  openssl: "openssl",
  ip: "iproute2",
};

/** Namespaces of processes, mounts and network, and the right to make interfaces in them. */
const namespaces = ["--net", "--mount", "--pid", "--fork"];
const bridge = ["ip", "link", "add", "probe", "type", "bridge"];

/** Why there can be no machines here, for the `skip` of tests; false where there can. */
export function whyNoMachines(): string | false {
  const skipped = (reason: string) => `SKIPPED: ${reason}`;
  if (process.platform !== "linux") return skipped("machines of network namespaces need Linux");
  if (process.getuid?.() !== 0) return skipped("machines of network namespaces need root");
  const probe = findProgram("ip") === undefined ? ["true"] : bridge;
  const { status, stderr, error } = spawnSync("unshare", [...namespaces, ...probe], { encoding: "utf8" });
  if (status !== 0) return skipped(`no network namespaces here: ${error?.message ?? stderr.trim()}`);
  const missing = Object.keys(packages).find((program) => findProgram(program) === undefined);
  if (missing !== undefined && findProgram("apt-get") === undefined)
    return skipped(`there is no ${missing}, and no apt-get to install it`);
  return false;
}

/** Installs what is missing. */
export async function ensureEntryPrograms(): Promise<void> {
  for (const [program, name] of Object.entries(packages)) await ensureDebianPackage(name, program);
  if (!hasStream()) await installPackages(["libnginx-mod-stream"], console.error);
}

/** Nginx has it built in, or as a module of its own. */
function hasStream(): boolean {
  const { stderr } = spawnSync("nginx", ["-V"], { encoding: "utf8" });
  return /--with-stream(\s|$)/.test(stderr) || existsSync(streamModule);
}
