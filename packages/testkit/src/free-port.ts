import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** Above 10080: browsers, and `fetch`, refuse some ports up to there. */
const lowest = 10_100;

/**
 * Ports of 127.0.0.1 that were free a moment ago, below the range from which the kernel takes the ports of clients:
 * a server that was killed must find its own again, and thousands of clients that dial it meanwhile would take one
 * from that range, or even be connected to themselves. Rejects where there are not so many.
 */
export async function freePorts(count: number): Promise<number[]> {
  const highest = firstEphemeral() - 1;
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries++) {
    if (tries > 1000) throw new Error(`no ${count} free ports between ${lowest} and ${highest}`);
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

function firstEphemeral(): number {
  try {
    const [first] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").trim().split(/\s+/);
    return Math.max(Number(first), lowest + 1000);
  } catch {
    return 32_768; // Not Linux: its usual value, and below that of the others.
  }
}
