import { join } from "node:path";
import type { AppendResult, OpenInput } from "../load/append.ts";
import { median } from "../measure/statistics.ts";
import { Child } from "../process/child.ts";
import { Folder } from "../process/folder.ts";
import { Server } from "../process/server.ts";
import { inTree } from "../process/tree.ts";
import { type Row, rowOf } from "../row.ts";
import { bodyBytes, type Scenario } from "./scenario.ts";

export const store: Scenario = {
  name: "store",
  meaning: "appends with dedupe to a store that already holds millions of messages",

  async run(effort, say) {
    const messages = effort.isQuick ? 300_000 : 3_000_000;
    const conversations = messages / 10;
    const chunk = messages / 30;
    const server = new Server({ profileFolder: effort.profileFolder });
    const folder = new Folder("level");
    const ours = appender();
    const bare = appender();
    try {
      const emptyMs = await startAndStop(server);
      const input: OpenInput = {
        engine: "embedded",
        embeddedModule: inTree("packages/store/src/embedded/index.ts"),
        directory: join(server.data, "store"),
        conversations,
        bodyBytes,
      };
      await ours.call("open", input);
      await bare.call("open", { ...input, engine: "level", directory: folder.path });
      const runs: AppendResult[] = [];
      const probes: AppendResult[] = [];
      let ready: number[] = [];
      for (let stored = 0; stored < messages + 5 * chunk; stored += chunk) {
        say(`store: ${stored.toLocaleString("en")} of ${messages.toLocaleString("en")} messages stored`);
        runs.push((await ours.call<AppendResult>("append", { count: chunk })).result);
        probes.push((await bare.call<AppendResult>("append", { count: chunk })).result);
        if (stored + chunk !== messages / 3) continue;
        await ours.call("close");
        ready = [await startAndStop(server), await startAndStop(server), await startAndStop(server)];
        await ours.call("open", input);
      }
      await ours.call("close");
      return [
        appendRow(messages, runs, probes),
        writtenRow(messages, chunk, runs, probes),
        readyRow(messages / 3, ready, emptyMs),
      ];
    } finally {
      await ours.end();
      await bare.end();
      await server.remove();
      folder.remove();
    }
  },
};

function appender(): Child {
  return new Child(new URL("../load/append.ts", import.meta.url));
}

async function startAndStop(server: Server): Promise<number> {
  const ms = await server.start();
  await server.stop();
  return ms;
}

function appendRow(messages: number, runs: readonly AppendResult[], probes: readonly AppendResult[]): Row {
  const last = (all: readonly AppendResult[]) => all.slice(-5).map(({ perSecond }) => perSecond);
  const first = median(runs.slice(0, 3).map(({ perSecond }) => perSecond));
  return rowOf({
    scenario: "store",
    variant: `append on ${messages.toLocaleString("en")} stored`,
    unit: "messages/s",
    better: "more",
    values: last(runs),
    probes: last(probes),
    note: `${(messages / 10).toLocaleString("en")} conversations at random, batches of 500, 200 bytes, deduplicated, one batch at a time; ${Math.round(first).toLocaleString("en")}/s while the store was empty; probe: bare LevelDB, two keys per message, synced`,
  });
}

function writtenRow(
  messages: number,
  chunk: number,
  runs: readonly AppendResult[],
  probes: readonly AppendResult[],
): Row {
  const perMessage = (all: readonly AppendResult[]) =>
    all.reduce((sum, one) => sum + one.bytesWritten, 0) / (all.length * chunk);
  return rowOf({
    scenario: "store",
    variant: `disk writes up to ${messages.toLocaleString("en")}`,
    unit: "bytes/message",
    better: "less",
    values: [perMessage(runs)],
    probes: [perMessage(probes)],
    note: "everything that reached the disk, log and compaction included, by /proc/self/io",
  });
}

function readyRow(messages: number, readyMs: readonly number[], emptyMs: number): Row {
  return rowOf({
    scenario: "store",
    variant: `start with ${messages.toLocaleString("en")} stored`,
    unit: "s",
    better: "less",
    values: readyMs.map((ms) => ms / 1000),
    probes: [emptyMs / 1000],
    note: "from starting the process until it says that it listens; probe: the same with an empty store",
  });
}
