/**
 * `npm run dev`: the server, started anew when its sources change, and Vite for the page, which passes everything
 * but the page on to the server. Arguments go to the server.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createServer } from "vite";
import { root } from "./root.ts";

const args = process.argv.slice(2);
const at = args.indexOf("--port");
const port = at < 0 ? 8080 : Number(args[at + 1]);
const server = spawn(
  process.execPath,
  ["--watch", "--watch-preserve-output", join(root, "packages/server/src/main.ts"), "start", ...args],
  {
    cwd: root,
    stdio: "inherit",
  },
);
const target = `http://127.0.0.1:${port}`;
const page = await createServer({
  root: join(root, "apps/web"),
  server: {
    port: port + 1,
    proxy: {
      // The server lets its own page in: the origin of a request must be the one that it goes to.
      "/ws": { target, ws: true, changeOrigin: true, headers: { origin: target } },
      "/v1": { target, changeOrigin: true, headers: { origin: target } },
    },
  },
});
await page.listen();
page.printUrls();
console.log(
  `The sign-in links that the server prints work here too, with port ${page.config.server.port} instead of ${port}.`,
);

const stop = async (): Promise<void> => {
  server.kill("SIGTERM");
  await page.close();
};
server.on("exit", () => void page.close());
process.once("SIGINT", () => void stop());
process.once("SIGTERM", () => void stop());
