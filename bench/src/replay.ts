/** `npm run replay -- FILE [--kills N]`: a real community, at full speed, against a real server that dies on the way. */
import { setTimeout as sleep } from "node:timers/promises";
import { machine } from "./machine.ts";
import { CpuMeter, cpuMs } from "./process/cpu.ts";
import { Server } from "./process/server.ts";
import { Community } from "./replay/community.ts";
import { figures } from "./replay/figures.ts";
import { play } from "./replay/play.ts";
import { Progress } from "./replay/progress.ts";
import { scriptOf } from "./replay/script.ts";
import { compare } from "./replay/verdict.ts";
import { readTrace } from "./trace.ts";
import { readArguments, runCommand, shortened, UsageError, wholeNumber } from "./usage.ts";

const help = `Usage: npm run replay -- FILE [options]

Replays a trace, lines of [seconds, group, thread, user, text], plain or compressed with gzip, through real
sockets against a server of its own: a third of the users on WebSocket, a third on TCP, a third on long poll, two
devices for every tenth user; everybody who ever writes in a group is a member of it. In the end the history of
every member on every device is compared with the log. Exit code 1 if anything differs.

  --kills N      kill the server with SIGKILL N times on the way, and start it again (default 0)
  --users N      only the first N users
  --messages N   only the first N messages
  --speed S      full: as fast as it goes (default); or a number: so many times faster than it happened
  --window N     deliveries that may be outstanding before the next message is written (default 20000)
  --help         this text
`;

async function replay(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, {
    kills: { type: "string" },
    users: { type: "string" },
    messages: { type: "string" },
    speed: { type: "string", default: "full" },
    window: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const [file, ...others] = positionals;
  if (file === undefined) throw new UsageError("the FILE with the trace is missing");
  if (others.length > 0) throw new UsageError(`one FILE at a time, not also ${shortened(others.join(" "))}`);
  const options = {
    kills: wholeNumber("kills", values.kills, 0, 1000, 0),
    speed: speedOf(values.speed),
    window: wholeNumber("window", values.window, 1, 100_000_000, 20_000),
  };
  const usersMax = wholeNumber("users", values.users, 1, 100_000, Number.MAX_SAFE_INTEGER);
  const messagesMax = wholeNumber("messages", values.messages, 1, 100_000_000, Number.MAX_SAFE_INTEGER);
  const script = scriptOf(readTrace(file), usersMax, messagesMax);
  if (options.kills >= script.lines.length)
    throw new UsageError("--kills must be below the number of messages");

  const server = new Server();
  const progress = new Progress();
  try {
    await server.start();
    const community = new Community(script, server);
    const { devices, ledger } = community;
    progress.say(`${machine()}`);
    progress.say(
      `${script.lines.length.toLocaleString("en")} messages of ${script.users.toLocaleString("en")} users in ${script.groups.length} groups, ${devices.length.toLocaleString("en")} devices: ${community.deliveries.toLocaleString("en")} deliveries`,
    );
    await community.createGroups(server);
    community.start();
    if (!(await within(60_000, () => community.isLive)))
      throw new Error("not everybody could connect within a minute");
    progress.say("everybody is connected");
    const cpu = new CpuMeter();
    const serverCpuMsBefore = cpuMs(server.pid);
    const played = await play(community, server, options, () => progress.show(community));
    const cpuShare = cpu.share();
    // A server that was killed has taken its figures with it.
    const serverCpuShare =
      options.kills === 0 ? (cpuMs(server.pid) - serverCpuMsBefore) / 1000 / played.seconds : undefined;
    progress.say("waiting for the last acknowledgements");
    const waitMsMax = ledger.violationCount === 0 ? 30_000 : 2_000;
    if (!(await within(waitMsMax, () => devices.every((device) => device.hasAckedAll)))) {
      ledger.violate("G5: not everything was acknowledged in the end");
    }
    progress.say("comparing every device with the log");
    const entries = await compare(community, server);
    community.end();
    process.stdout.write(`${figures(community, played, { entries, cpuShare, serverCpuShare })}\n`);
    return ledger.violationCount === 0 ? 0 : 1;
  } finally {
    await server.remove();
  }
}

/** Whether it became true in time. */
async function within(msMax: number, isTrue: () => boolean): Promise<boolean> {
  const startMs = performance.now();
  while (!isTrue()) {
    if (performance.now() - startMs > msMax) return false;
    await sleep(10);
  }
  return true;
}

function speedOf(text: string): number {
  if (text === "full") return Number.POSITIVE_INFINITY;
  const speed = Number(text);
  if (!(speed > 0 && speed <= 1e9)) throw new UsageError("--speed must be full, or a number above 0");
  return speed;
}

await runCommand("replay", () => replay(process.argv.slice(2)));
