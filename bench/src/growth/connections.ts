/** Memory of the server by the number of connections that do nothing: the slope is what each of them costs. */
import { setTimeout as sleep } from "node:timers/promises";
import { lineOf, type Point } from "../measure/fit.ts";
import type { Child } from "../process/child.ts";
import { memoryOf } from "../process/memory.ts";
import { Server } from "../process/server.ts";
import { type Row, rowOf } from "../row.ts";
import { type Effort, loadProcess } from "../scenario/scenario.ts";

type Transport = "websocket" | "tcp";

const settings = { heartbeatMs: 600_000, connectsPerSecond: 1_000_000 };
/** V8 gives memory back late and in large pieces. */
const collectEveryMs = 2_500;
/** A process may have so many files open, and some it needs for itself: more connections take more generators. */
const perGenerator = 10_000;
const million = 1_000_000;
/** Connections before memory is first read: what they make ready is there once, and not for each. */
const first = 50;

interface Subject {
  readonly transport: Transport;
  readonly server: Server;
  readonly loads: Child[];
  readonly points: Point[];
}

export async function idleConnections(effort: Effort, say: (line: string) => void): Promise<Row[]> {
  const sizes = effort.isQuick ? [500, 1000, 1500, 2000] : [2_500, 5_000, 10_000, 15_000];
  const subjects = (["websocket", "tcp"] as const).map(
    (transport): Subject => ({
      transport,
      server: new Server({ settings, collectable: true, profileFolder: effort.profileFolder }),
      loads: [],
      points: [],
    }),
  );
  try {
    for (const { server } of subjects) await server.start();
    for (const subject of subjects) await dial(subject, first);
    await quiet(subjects, effort.isQuick ? 10_000 : 20_000);
    for (const size of sizes) {
      say(`growth: ${size.toLocaleString("en")} idle connections`);
      for (const subject of subjects) await dial(subject, size);
      await quiet(subjects, effort.isQuick ? 5_000 : 20_000);
      for (const { server, points } of subjects) points.push({ x: size, y: memoryOf(server.pid).pss });
    }
    for (const { loads } of subjects) for (const load of loads) await load.call("hangUp");
    return subjects.flatMap(rowsOf);
  } finally {
    for (const { server, loads } of subjects) {
      for (const load of loads) await load.end();
      await server.remove();
    }
  }
}

/** All servers wait for their garbage together. */
async function quiet(subjects: readonly Subject[], ms: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < ms; waitedMs += collectEveryMs) {
    for (const { server } of subjects) server.collectGarbage();
    await sleep(collectEveryMs);
  }
}

/** Opens connections until the server holds so many. */
async function dial({ transport, server, loads }: Subject, size: number): Promise<void> {
  const port = transport === "tcp" ? server.tcpPort : server.port;
  for (let at = 0; at * perGenerator < size; at++) {
    const load = loads[at] ?? loadProcess();
    loads[at] = load;
    const count = Math.min(perGenerator, size - at * perGenerator);
    await load.call("dial", { port, transport, trust: server.signer, prefix: `i${at}x`, count });
  }
}

function rowsOf({ transport, points }: Subject): Row[] {
  const { slope, intercept } = lineOf(points);
  const common = { scenario: "growth", axis: `idle connections, ${transport}`, transport } as const;
  const sizes = points.map(({ x }) => x.toLocaleString("en")).join(", ");
  return [
    ...points.map(({ x, y }) =>
      rowOf({
        ...common,
        variant: `memory, ${x.toLocaleString("en")} idle × ${transport}`,
        unit: "MB",
        better: "less",
        values: [y / 1e6],
        measure: "memory",
        size: x,
        note: "PSS of the server, garbage collected",
      }),
    ),
    rowOf({
      ...common,
      variant: `memory of one more idle × ${transport}`,
      unit: "bytes/connection",
      better: "less",
      values: [slope],
      measure: "memory of a connection",
      bytesPerConnection: Math.round(slope),
      megabytesAtRest: Math.round(intercept / 1e5) / 10,
      note: `slope of the line through ${sizes} connections; without any it reads ${Math.round(intercept / 1e6)} MB`,
    }),
    rowOf({
      ...common,
      variant: `memory of a million idle × ${transport}, extrapolated`,
      unit: "GB",
      better: "less",
      values: [(intercept + slope * million) / 1e9],
      measure: "memory of a million",
      note: "the same line, drawn on: not measured; the kernel's own memory for a socket is not in it",
    }),
  ];
}
