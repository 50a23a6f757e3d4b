/** `GET /metrics` for Prometheus: the node's statistics, and how the process fares. */
import type { IncomingMessage } from "node:http";
import type { NatsStatistics } from "@hongyan/broker/nats";
import type { Statistics } from "@hongyan/core";
import { ProtocolError } from "@hongyan/protocol";
import type { PostgresStatistics } from "@hongyan/store/postgres";
import type { FastifyInstance } from "fastify";
import type { Counter, Gauge, Registry } from "prom-client";
import { bearerOf, equalSecrets } from "../auth/api-keys.ts";
import type { Forwards } from "../forwarding/forwarder.ts";
import { isThisMachine } from "../process/loopback.ts";
import type { Traffic } from "../transport/traffic.ts";

export interface MetricsOptions {
  /** What keeps users from being sent here, or undefined (`/readyz`). */
  readonly fault: () => Promise<string | undefined>;
  readonly statistics: () => Readonly<Statistics>;
  /** By transport. */
  readonly traffic: () => Readonly<Record<string, Readonly<Traffic>>>;
  /** Of what joins this node with others; absent where it is alone. */
  readonly joint: Readonly<NatsStatistics> | undefined;
  /** Of requests that other nodes answer; absent where none are handed on. */
  readonly forwards: Readonly<Forwards> | undefined;
  /** Of PostgreSQL; absent where another store is used. */
  readonly postgres: (() => Readonly<PostgresStatistics>) | undefined;
  /** "": only callers on this machine. */
  readonly token: string;
}

interface Row {
  readonly type: "gauge" | "counter";
  readonly name: string;
  readonly help: string;
}

/**
 * The answer of `/readyz`. A node whose store is away and to whom nobody writes fails no commit: without this no figure
 * would show it before somebody has something to say.
 */
export const readyRow = {
  type: "gauge",
  name: "ready",
  help: "Whether users may be sent here, as /readyz says: 1, or 0.",
} as const satisfies Row;

/** Total over `Statistics`: a new number without a name does not compile. */
export const rows = {
  connections: { type: "gauge", name: "connections", help: "Live connections." },
  sessions: {
    type: "gauge",
    name: "sessions",
    help: "Sessions, also those whose connection is lost and may resume.",
  },
  onlineUsers: { type: "gauge", name: "online_users", help: "Users with a session." },
  residentConversations: {
    type: "gauge",
    name: "resident_conversations",
    help: "Conversations kept in memory.",
  },
  watchedUsers: { type: "gauge", name: "watched_users", help: "Users whose presence somebody watches." },
  messagesStored: { type: "counter", name: "messages_stored_total", help: "Messages committed." },
  messagesDuplicate: {
    type: "counter",
    name: "messages_duplicate_total",
    help: "Resends that were recognised.",
  },
  messagesPushed: { type: "counter", name: "messages_pushed_total", help: "Messages pushed to sessions." },
  acks: { type: "counter", name: "acks_total", help: "Acknowledgements of positions." },
  receiptsPushed: { type: "counter", name: "receipts_pushed_total", help: "Receipts pushed." },
  commits: { type: "counter", name: "commits_total", help: "Group commits of the store." },
  commitSeconds: {
    type: "counter",
    name: "commit_seconds_total",
    help: "Time that group commits took, the sync of the disk included.",
  },
  waitingBytes: { type: "gauge", name: "commit_waiting_bytes", help: "Bytes that wait for the store." },
  outboxBytes: {
    type: "gauge",
    name: "outbox_waiting_bytes",
    help: "Bytes queued for readers that do not keep up.",
  },
  commitFailures: { type: "counter", name: "commit_failures_total", help: "Group commits that failed." },
  comparisons: {
    type: "counter",
    name: "comparisons_total",
    help: "Users with a session here who were compared with the store (repairEveryMs).",
  },
  syncPages: { type: "counter", name: "sync_pages_total", help: "Pages of sync." },
  movedToPull: {
    type: "counter",
    name: "moved_to_pull_total",
    help: "Sessions that could not follow and were moved to pull.",
  },
  errors: { type: "counter", name: "errors_total", help: "Commands answered with an error." },
} as const satisfies Record<keyof Statistics, Row>;

/** With the label `transport`. */
export const trafficRows = {
  connections: { type: "gauge", name: "transport_connections", help: "Live connections of a transport." },
  accepted: { type: "counter", name: "transport_accepted_total", help: "Connections accepted." },
  refused: {
    type: "counter",
    name: "transport_refused_total",
    help: "Connections and handshakes turned away.",
  },
  bytesIn: { type: "counter", name: "transport_received_bytes_total", help: "Bytes received." },
  bytesOut: { type: "counter", name: "transport_sent_bytes_total", help: "Bytes sent." },
  framesIn: { type: "counter", name: "transport_received_frames_total", help: "Frames received." },
  framesOut: { type: "counter", name: "transport_sent_frames_total", help: "Frames sent." },
} as const satisfies Record<keyof Traffic, Row>;

/** Between nodes. */
export const jointRows = {
  connected: { type: "gauge", name: "broker_connected", help: "Whether NATS is there: 1, or 0." },
  reconnects: { type: "counter", name: "broker_reconnects_total", help: "How often NATS came back." },
  eventsPublished: {
    type: "counter",
    name: "broker_events_published_total",
    help: "Events that were to reach other nodes.",
  },
  messagesSent: {
    type: "counter",
    name: "broker_messages_sent_total",
    help: "Messages of NATS that carried them.",
  },
  eventsDropped: {
    type: "counter",
    name: "broker_events_dropped_total",
    help: "Events that did not leave: NATS was away, or took less than was published.",
  },
  eventsReceived: {
    type: "counter",
    name: "broker_events_received_total",
    help: "Events of other nodes.",
  },
  malformed: {
    type: "counter",
    name: "broker_malformed_total",
    help: "Messages of other nodes that could not be read.",
  },
  unknown: {
    type: "counter",
    name: "broker_unknown_total",
    help: "Messages and events of a version or kind that this node does not know.",
  },
  receiverFailures: {
    type: "counter",
    name: "broker_receiver_failures_total",
    help: "Events that this node failed on.",
  },
  gaps: {
    type: "counter",
    name: "broker_gaps_total",
    help: "How often events of other nodes may have been lost, and everybody here was compared with the store.",
  },
  namesakes: {
    type: "gauge",
    name: "broker_namesakes",
    help: "Other nodes of the cluster that have the name of this one: there should be none.",
  },
  unconfirmedBytes: {
    type: "gauge",
    name: "broker_unconfirmed_bytes",
    help: "Bytes that NATS has not confirmed to have.",
  },
} as const satisfies Record<keyof NatsStatistics, Row>;

/** Of held connections, at a node that does not have them. */
export const forwardRows = {
  underWay: {
    type: "gauge",
    name: "forwarding_requests",
    help: "Requests that other nodes are answering through this one.",
  },
  total: { type: "counter", name: "forwarded_requests_total", help: "Requests handed on to other nodes." },
  failed: {
    type: "counter",
    name: "forward_failures_total",
    help: "Those that no node has answered; their clients connect anew.",
  },
} as const satisfies Record<keyof Forwards, Row>;

/** Of a node on PostgreSQL. */
export const postgresRows = {
  commits: {
    type: "counter",
    name: "postgres_commits_total",
    help: "Batches committed; those that wait share a transaction.",
  },
  transactions: { type: "counter", name: "postgres_transactions_total", help: "Transactions committed." },
  appendsStored: { type: "counter", name: "postgres_entries_stored_total", help: "Entries stored." },
  appendsDuplicate: {
    type: "counter",
    name: "postgres_entries_duplicate_total",
    help: "Entries that were stored before.",
  },
  looks: {
    type: "counter",
    name: "postgres_looks_total",
    help: "Transactions that had to lock and look before they could write: a round trip of their own.",
  },
  lookSeconds: {
    type: "counter",
    name: "postgres_look_seconds_total",
    help: "Time that these round trips took, the wait for other nodes included.",
  },
  writeSeconds: {
    type: "counter",
    name: "postgres_write_seconds_total",
    help: "Time that the round trips took which write and commit.",
  },
  lostRaces: {
    type: "counter",
    name: "postgres_lost_races_total",
    help: "Transactions that lost to one of another node and were made again.",
  },
  commitFailures: {
    type: "counter",
    name: "postgres_commit_failures_total",
    help: "How often commits stopped, because a transaction failed or a connection broke.",
  },
  recoveries: {
    type: "counter",
    name: "postgres_recoveries_total",
    help: "How often they were taken up again, over new connections.",
  },
  readConnections: {
    type: "gauge",
    name: "postgres_read_connections",
    help: "Connections that read; those that commit come on top.",
  },
  readConnectionsBusy: {
    type: "gauge",
    name: "postgres_read_connections_busy",
    help: "Those that are at work.",
  },
  readsWaiting: {
    type: "gauge",
    name: "postgres_reads_waiting",
    help: "Reads that are answered after others on their connection, or wait for one, or to leave with others.",
  },
  clockSkewSeconds: {
    type: "gauge",
    name: "postgres_clock_skew_seconds",
    help: "How far the clock of this machine is ahead of PostgreSQL's; below 0: behind. Measured once a minute.",
  },
} as const satisfies Record<keyof PostgresStatistics, Row>;

export function addMetricsRoute(app: FastifyInstance, options: MetricsOptions): void {
  let registries: Promise<Registry[]> | undefined;
  app.get("/metrics", { schema: { hide: true } }, async (request, reply) => {
    if (!mayRead(request.raw, options.token)) {
      throw new ProtocolError(
        "unauthorized",
        "Metrics are open to this machine only; others need the bearer token of metrics.token.",
      );
    }
    registries ??= Promise.all([nodeRegistry(options), processRegistry()]);
    const texts = await Promise.all((await registries).map((registry) => registry.metrics()));
    return reply
      .header("cache-control", "no-store")
      .type("text/plain; version=0.0.4; charset=utf-8")
      .send(texts.join("\n"));
  });
}

/** A proxy on this machine passes strangers on: what it forwards is not local. */
function mayRead(request: IncomingMessage, token: string): boolean {
  if (token !== "") return equalSecrets(bearerOf(request.headers.authorization) ?? "", token);
  const { forwarded, "x-forwarded-for": forwardedFor, "x-real-ip": realIp } = request.headers;
  const isForwarded = forwarded !== undefined || forwardedFor !== undefined || realIp !== undefined;
  return !isForwarded && isThisMachine(request.socket.remoteAddress ?? "");
}

async function nodeRegistry({
  fault,
  statistics,
  traffic,
  joint,
  forwards,
  postgres,
}: MetricsOptions): Promise<Registry> {
  const prometheus = await import("prom-client");
  const registry = new prometheus.Registry();

  function add(
    { type, name, help }: Row,
    labelNames: string[],
    read: (set: (value: number, label?: string) => void) => void | Promise<void>,
  ) {
    const options = { name: `hongyan_${name}`, help, labelNames, registers: [registry] };
    const labelsOf = (value: string | undefined) => (value === undefined ? {} : { transport: value });
    if (type === "gauge") {
      const gauge: Gauge = new prometheus.Gauge({
        ...options,
        collect: () => read((value, label) => gauge.set(labelsOf(label), value)),
      });
    } else {
      const counter: Counter = new prometheus.Counter({
        ...options,
        collect() {
          counter.reset();
          return read((value, label) => counter.inc(labelsOf(label), value));
        },
      });
    }
  }

  add(readyRow, [], async (set) => set((await fault()) === undefined ? 1 : 0));
  for (const [key, row] of Object.entries(rows) as [keyof Statistics, Row][]) {
    add(row, [], (set) => set(statistics()[key]));
  }
  for (const [key, row] of Object.entries(trafficRows) as [keyof Traffic, Row][]) {
    add(row, ["transport"], (set) => {
      for (const [transport, totals] of Object.entries(traffic())) set(totals[key], transport);
    });
  }
  function addTotals<T extends object>(
    rows: Readonly<Record<keyof T, Row>>,
    totals: (() => Readonly<T>) | undefined,
  ) {
    if (totals === undefined) return;
    for (const [key, row] of Object.entries(rows) as [keyof T, Row][])
      add(row, [], (set) => set(Number(totals()[key])));
  }
  addTotals<NatsStatistics>(jointRows, joint && (() => joint));
  addTotals<Forwards>(forwardRows, forwards && (() => forwards));
  addTotals<PostgresStatistics>(postgresRows, postgres);
  return registry;
}

/** One per process, however many servers it holds: what it measures is the process, and its probes cannot be stopped. */
let ofProcess: Promise<Registry> | undefined;

function processRegistry(): Promise<Registry> {
  ofProcess ??= import("prom-client").then(({ collectDefaultMetrics, Registry }) => {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    return registry;
  });
  return ofProcess;
}
