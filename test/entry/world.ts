/**
 * A small network of our own: a Linux network namespace with a bridge, into which machines are plugged. It is also a
 * namespace of processes: when its first process ends, in whatever way, everything in it is gone, and nothing of it
 * was ever visible to this machine.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const bridge = "lan";
/** The address that moves. From a block that is never routed (RFC 2544). */
export const entryAddress = "198.18.0.20";
export const clientAddress = "198.18.0.1";

/** `$1` becomes the place for temporary files, with a certificate for the entry; then the program is run. */
const script = `
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/tls"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=entry \
  -addext subjectAltName=IP:${entryAddress} -keyout "$1/tls/key.pem" -out "$1/tls/chain.pem" 2>/dev/null
ip link set lo up
ip link add ${bridge} type bridge
ip address add ${clientAddress}/24 dev ${bridge}
ip link set ${bridge} up
export TMPDIR="$1" NODE_EXTRA_CA_CERTS="$1/tls/chain.pem"
shift
exec "$@"
`;
const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** Runs a program of this folder in a world of its own; resolves to what it has printed, rejects where it fails. */
export async function runInWorld(program: string, signal: AbortSignal): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hongyan-entry-"));
  try {
    const path = join(import.meta.dirname, program);
    const child = spawn(
      "unshare",
      [...namespaces, "sh", "-c", script, "sh", folder, process.execPath, path],
      // It ends when its input does: also when we are killed.
      { stdio: ["pipe", "pipe", "pipe"], signal, killSignal: "SIGKILL" },
    );
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        said = (said + text).slice(-100_000);
      });
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) throw new Error(`${program} ended with ${code}:\n${said}`);
    return said;
  } finally {
    await rmdir(folder);
  }
}
