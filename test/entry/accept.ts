/** Nginx and Keepalived read the files of `deploy/`. Run inside a world (`runInWorld`). */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Machine } from "./machine.ts";

process.stdin.resume().on("end", () => process.exit(1));

const machine = await Machine.boot({
  name: "entry1",
  address: "198.18.0.21",
  peerAddress: "198.18.0.22",
  priority: 100,
  nodes: [1, 2, 3].map((n) => ({ host: `198.18.0.3${n}`, httpPort: 8080, tcpPort: 7800 })),
  certificates: join(tmpdir(), "tls"),
});
await machine.run("nginx", "-t");
await machine.run("keepalived", "--config-test");
process.exit(0);
