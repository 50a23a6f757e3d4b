import { readFileSync } from "node:fs";
import { createServer } from "node:net";

const lowest = 20_000;

/**
 * A free port below the range from which the kernel takes ports for outgoing connections: a server that is restarted
 * on it finds it free, however many clients have connected meanwhile.
 */
export async function freePort(): Promise<number> {
  const range = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
  const limit = Math.max(lowest + 1000, Math.min(32_768, Number(range.split(/\s+/)[0])));
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = lowest + Math.floor(Math.random() * (limit - lowest));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${lowest} and ${limit}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
