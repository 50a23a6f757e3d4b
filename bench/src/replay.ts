/** `npm run replay -- FILE [--nodes N] [--kills N]`: a real community, at full speed, against real servers that die on the way. */
import { setTimeout as sleep } from "node:timers/promises";
import { machine } from "./machine.ts";
import { CpuMeter, cpuMs } from "./process/cpu.ts";
import { Community } from "./replay/community.ts";
import { figures } from "./replay/figures.ts";
import { Kills } from "./replay/kills.ts";
import { Nodes } from "./replay/nodes.ts";
import { play } from "./replay/play.ts";
import { Progress } from "./replay/progress.ts";
import { scriptOf } from "./replay/script.ts";
import { Storm } from "./replay/storm.ts";
import { compare } from "./replay/verdict.ts";
import { readTrace } from "./trace.ts";
import { readArguments, runCommand, shortened, UsageError, wholeNumber } from "./usage.ts";

const help = `Usage: npm run replay -- FILE [options]

Replays a trace, lines of [seconds, group, thread, user, text], plain or compressed with gzip, through real
sockets against a server of its own, or several: a third of the users on WebSocket, a third on TCP, a third on long poll, two
devices for every tenth user; everybody who ever writes in a group is a member of it. In the end the history of
every member on every device is compared with the log. Exit code 1 if anything differs.

  --nodes N      N nodes on PostgreSQL and NATS of their own, the devices spread over them, and on another one
                 whenever they come back; a long poll asks two nodes (default 1: one server on its own store)
  --kills N      kill the server with SIGKILL N times on the way, and start it again (default 0); with --nodes
                 one node every two seconds, and meanwhile crash PostgreSQL twice and cut NATS off for 5 s
  --users N      only the first N users
  --messages N   only the first N messages
  --speed S      full: as fast as it goes (default); or a number: so many times faster than it happened
  --window N     deliveries that may be outstanding before the next message is written (default 20000)
  --help         this text
`;

async function replay(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, {
    nodes: { type: "string" },
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
  const count = wholeNumber("nodes", values.nodes, 1, 9, 1);
  const kills = wholeNumber("kills", values.kills, 0, 1000, 0);
  const options = {
    speed: speedOf(values.speed),
    window: wholeNumber("window", values.window, 1, 100_000_000, 20_000),
  };
  const usersMax = wholeNumber("users", values.users, 1, 100_000, Number.MAX_SAFE_INTEGER);
  const messagesMax = wholeNumber("messages", values.messages, 1, 100_000_000, Number.MAX_SAFE_INTEGER);
  const script = scriptOf(readTrace(file), usersMax, messagesMax);
  if (kills >= script.lines.length) throw new UsageError("--kills must be below the number of messages");

  const nodes = await Nodes.start(count);
  const [server] = nodes.servers;
  const progress = new Progress();
  try {
    const community = new Community(script, nodes.servers);
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
    const trouble = new (count > 1 && kills > 0 ? Storm : Kills)(community, nodes, kills);
    const cpu = new CpuMeter();
    const serverCpuMs = () => nodes.servers.reduce((sum, { pid }) => sum + cpuMs(pid), 0);
    const serverCpuMsBefore = serverCpuMs();
    const seconds = await play(community, trouble, options, () => progress.show(community));
    const cpuShare = cpu.share();
    // A server that was killed has taken its figures with it.
    const serverCpuShare = kills === 0 ? (serverCpuMs() - serverCpuMsBefore) / 1000 / seconds : undefined;
    progress.say("waiting for the last acknowledgements");
    const waitMsMax = ledger.violationCount === 0 ? 30_000 : 2_000;
    if (!(await within(waitMsMax, () => devices.every((device) => device.hasAckedAll)))) {
      ledger.violate("G5: not everything was acknowledged in the end");
    }
    progress.say("comparing every device with the log");
    const entries = await compare(community, server);
    community.end();
    const ending = { seconds, entries, cpuShare, serverCpuShare, trouble: trouble.report };
    process.stdout.write(`${figures(community, ending)}\n`);
    return ledger.violationCount === 0 ? 0 : 1;
  } finally {
    await nodes.remove();
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
