import type { BacklogInput, FillInput } from "../load/backlog.ts";
import { Folder } from "../process/folder.ts";
import { type Row, rowOf } from "../row.ts";
import {
  bodyBytes,
  type Effort,
  loadProcess,
  probeProcess,
  type Scenario,
  withChild,
  withServer,
} from "./scenario.ts";

const senders = 100;
const messagesEach = 200;

type Transport = "tcp" | "websocket" | "poll";
const transports: readonly Transport[] = ["tcp", "websocket", "poll"];

interface Measured {
  readonly ms: number;
  readonly pages: number;
}

export const backlog: Scenario = {
  name: "backlog",
  meaning: `${senders * messagesEach} offline messages of ${senders} senders: from connecting to all acknowledged`,

  async run(effort, say) {
    if (!effort.skipsProbes) say(`backlog: bare pages`);
    const probes = effort.skipsProbes ? [] : await bare(effort);
    say(`backlog: ${senders * messagesEach} messages`);
    const ours = await measure(effort);
    return transports.map((transport) => row(transport, ours.get(transport) ?? [], probes));
  },
};

function measure(effort: Effort): Promise<Map<Transport, Measured[]>> {
  return withServer({ profileFolder: effort.profileFolder }, async (server) => {
    const results = new Map<Transport, Measured[]>();
    const { tcpPort, signer: trust } = server;
    const input: FillInput = { port: tcpPort, trust, prefix: "", senders, messagesEach, bodyBytes };
    await withChild(loadProcess(), (load) => load.call("fill", input));
    // Each reading is by a device of its own: to a new device everything unread is new.
    for (let round = 0; round < Math.max(3, effort.rounds); round++) {
      for (const transport of transports) {
        const port = transport === "tcp" ? server.tcpPort : server.port;
        const list = results.get(transport) ?? [];
        results.set(transport, list);
        list.push(await read({ ...input, port, transport, device: `d${round}${transport}` }));
      }
    }
    return results;
  });
}

async function bare(effort: Effort): Promise<Measured[]> {
  const folder = new Folder("pages");
  try {
    return await withChild(probeProcess("pages"), async (probe) => {
      const input = { directory: folder.path, senders, messagesEach, bodyBytes };
      const { result } = await probe.call<{ port: number }>("listen", input);
      const results: Measured[] = [];
      for (let round = 0; round < Math.max(3, effort.rounds); round++) {
        results.push(
          await read({
            ...input,
            port: result.port,
            trust: "anybody",
            prefix: "",
            transport: "tcp",
            device: "d",
          }),
        );
      }
      return results;
    });
  } finally {
    folder.remove();
  }
}

function read(input: BacklogInput): Promise<Measured> {
  return withChild(loadProcess(), async (load) => (await load.call<Measured>("backlog", input)).result);
}

function row(transport: Transport, ours: readonly Measured[], probes: readonly Measured[]): Row {
  return rowOf({
    scenario: "backlog",
    variant: transport,
    unit: "s",
    better: "less",
    values: ours.map(({ ms }) => ms / 1000),
    probes: probes.map(({ ms }) => ms / 1000),
    transport,
    note: `in ${ours[0]?.pages ?? 0} pages, each request acknowledges the page before, durably; a fresh client process each time; probe: ready frames from LevelDB over TCP`,
  });
}
