/** `hongyan start`: runs the server until it is told to stop. */
import { flushCompileCache } from "node:module";
import { demoFile } from "../demo/demo-domain.ts";
import { refuseWithoutKeys } from "../demo/demo-mode.ts";
import { drainTimeMs } from "../process/drain-time.ts";
import { configFileOf, configOf, readArguments } from "./arguments.ts";

/** What stopping may take beside the times that were set, before the process ends all the same. */
const stopMsMax = 15_000;

export async function start(args: readonly string[]): Promise<void> {
  const read = readArguments(args, {});
  const { config } = configOf(read);
  refuseWithoutKeys(config);
  endOnFaults();
  const { createServer } = await import("../server.ts");
  const server = await createServer(config);
  try {
    stopOnSignals(config.drainMs + drainTimeMs(config.drainRate) + stopMsMax, () => server.close());
    const { url, host, tcpPort } = await server.listen();
    const tcp = tcpPort === undefined ? "" : ` · TCP ${host}:${tcpPort}`;
    const links = await server.signInLinks();
    const lines = [`Hongyan is ready: ${url}${tcp}`];
    if (links.length > 0) {
      lines.push(
        "",
        "Demo: open two of these links in two tabs, and chat. They sign in whoever has them: keep them to yourself.",
      );
      lines.push(...links.map(({ name, url: link }) => `  ${name.padEnd(6)} ${link}`));
      lines.push(`Keys of the demo domain, also for the HTTP API: ${demoFile(config.data)}`);
    } else {
      lines.push(howToSignIn(Object.keys(config.domains), configFileOf(read)));
    }
    process.stdout.write(`${lines.join("\n")}\n`);
    // A server that is killed starts as fast the next time as one that was stopped.
    flushCompileCache();
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** With keys of its own a server has no demo users, and nobody whom it could print a link for. */
function howToSignIn(domains: readonly string[], configFile: string | undefined): string {
  const domain = domains.length > 1 ? " --domain ID" : "";
  const config = configFile === undefined ? "" : ` --config ${configFile}`;
  return `No demo users, so no sign-in links. A token to sign in with: npx hongyan token --user ID${domain}${config}`;
}

/** The first signal drains, the second ends at once. */
function stopOnSignals(msMax: number, close: () => Promise<void>): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(signal === "SIGINT" ? 130 : 143);
    stopping = true;
    setTimeout(() => {
      process.stderr.write("hongyan: stopping took too long; ended\n");
      process.exit(1);
    }, msMax).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => fault("stopping failed", error),
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

/** After a fault nobody knows what is still true: the process ends, and what was acknowledged is on disk (G1). */
function endOnFaults(): void {
  process.on("uncaughtException", (error) => fault("fault", error));
}

function fault(event: string, error: unknown): never {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${JSON.stringify({ level: 60, time: Date.now(), event, error: text })}\n`);
  process.exit(1);
}
