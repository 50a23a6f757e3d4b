/**
 * Every setting of the server, once. Parser, environment names, flags, defaults, validation, masking of secrets,
 * the printout of `hongyan config` and docs/reference/configuration.md all come from this table.
 */
import { limits } from "@hongyan/protocol";
import {
  addresses,
  boolean,
  bytes,
  choice,
  domains,
  httpAddress,
  id,
  integer,
  type Kind,
  milliseconds,
  origins,
  port,
  portOrOff,
  servers,
  text,
} from "./kinds.ts";

export interface Key<T> {
  readonly kind: Kind<T>;
  readonly default: T;
  readonly meaning: string;
  /** Never printed, and not accepted as a flag: other users of a machine can read command lines. */
  readonly secret: boolean;
}

function key<T>(kind: Kind<T>, byDefault: NoInfer<T>, meaning: string): Key<T> {
  return { kind, default: byDefault, meaning, secret: false };
}

function secret<T>(kind: Kind<T>, byDefault: NoInfer<T>, meaning: string): Key<T> {
  return { kind, default: byDefault, meaning, secret: true };
}

const minute = 60_000;
const day = 24 * 60 * minute;
const KiB = 1024;
const MiB = 1024 * KiB;

export const schema = {
  host: key(
    text(1, 253),
    "127.0.0.1",
    "Address to listen on. Anything but loopback needs a domain with keys.",
  ),
  port: key(port, 8080, "Port of page, API, WebSocket, long poll and event stream. 0: any free one."),
  tcpPort: key(portOrOff, 7800, 'Port of the same frames over TCP. 0: any free one; "off": none.'),
  data: key(
    text(1, 4096),
    "./data",
    "Directory of everything that must survive, unless `postgres.url` is set; then of nothing but the keys of a demo. One server per directory.",
  ),
  node: key(id, "node1", "Name of this node, unique in its cluster."),
  advertise: key(
    httpAddress,
    "",
    "Where the other nodes reach this one, as `http://10.0.0.5:8080`: then long polls and event streams may go to any node. Empty: they must go to the node that they began at.",
  ),
  postgres: {
    url: secret(
      text(0, 2048),
      "",
      "`postgres://user:password@host:5432/database`: everything that must survive is kept there, not in `data`. Empty: the embedded store.",
    ),
    servers: secret(
      servers,
      {},
      "Further PostgreSQL servers of the cluster, by their names: logs may be placed there, in buckets. `postgres.url` is the one that is called `home`. The same on every node.",
    ),
    connections: key(
      integer(2, 1000),
      12,
      "Connections to PostgreSQL, to each server of it. Up to four of them commit, the others read.",
    ),
    clockSkewMsMax: key(
      milliseconds(100, 60 * minute),
      5_000,
      "How far the clocks of this machine and of PostgreSQL may be apart, as tokens and times of messages come from the nodes' clocks: a node that is further off does not start. One that drifts so far later warns.",
    ),
  },
  nats: {
    url: key(
      addresses,
      [],
      "`nats://host:4222`, or `tls://…`: joins this node with the others on the same PostgreSQL. Several name the servers of one NATS cluster. Empty: this node is alone.",
    ),
    prefix: key(text(1, 64), "hongyan.", "What all subjects begin with; the epoch of the data follows."),
    user: key(text(0, 256), "", "User at NATS, with `nats.pass`."),
    pass: secret(text(0, 1024), "", "Password at NATS."),
    token: secret(text(0, 4096), "", "Token at NATS, instead of user and password."),
    credentialsFile: key(text(0, 4096), "", "A `.creds` file of NATS, instead of either."),
    ca: key(
      text(0, 4096),
      "",
      "Certificate of the authority of NATS, a PEM file. Empty: the system's authorities.",
    ),
    cert: key(text(0, 4096), "", "Certificate of this node for NATS, a PEM file, with `nats.key`."),
    key: key(text(0, 4096), "", "Key of that certificate, a PEM file."),
  },
  repairEveryMs: key(
    milliseconds(100, 60 * minute),
    10_000,
    "With `postgres.url`: every user with a session here is compared with the store once in so long (more than 100 a second are not: with more than 1,000 users it takes longer than the default); that is how late a message may come whose event between nodes was lost.",
  ),
  log: {
    level: key(
      choice("debug", "info", "warn", "error", "silent"),
      "info",
      "The least important lines that are logged.",
    ),
    format: key(
      choice("auto", "json", "text"),
      "auto",
      "Lines of JSON, or text for people. `auto`: text on a terminal.",
    ),
    requests: key(boolean, false, "Whether every call of the HTTP API is logged."),
  },
  domains: secret(
    domains,
    {},
    'Tenants: `{"main": {"keys": {"k1": "…"}, "apiKeys": {"backend": "…"}}}`. `keys` sign the tokens of users (HS256, named by `kid`), `apiKeys` open the HTTP API. `npx hongyan config --new-domain main` makes one.',
  ),
  demo: key(
    boolean,
    true,
    "Whether a server without domains makes a `demo` domain with four users. Only on loopback.",
  ),
  web: key(boolean, true, "Whether the chat page is served at `/`."),
  allowedOrigins: key(
    origins,
    [],
    "Web pages of other origins that may connect and read answers. The server's own page always may.",
  ),
  tokenLifetimeMsMax: key(
    milliseconds(minute, 366 * day),
    31 * day,
    "A token that is valid for longer is refused.",
  ),
  heartbeatMs: key(
    milliseconds(100, 10 * minute),
    30_000,
    "A connection that is silent for 2.5 times this is closed.",
  ),
  connectTimeoutMs: key(
    milliseconds(100, 5 * minute),
    10_000,
    "Time for the first frame to be a valid `connect`.",
  ),
  sessionGraceMs: key(
    milliseconds(0, 60 * minute),
    60_000,
    "How long a session outlives its connection, for `resume`.",
  ),
  repushAfterMs: key(
    milliseconds(100, 10 * minute),
    5_000,
    "A push that is not acknowledged for so long is pushed again.",
  ),
  receiptsEveryMs: key(milliseconds(0, minute), 100, "Receipts to one sender are collected for so long."),
  receiptsPushMembersMax: key(
    integer(0, 1_000_000),
    256,
    "Larger groups do not push receipts; they are pulled.",
  ),
  outboxBytesMax: key(
    bytes(4 * KiB, 1024 * MiB),
    MiB,
    "Bytes queued on a connection beyond which it is moved from push to pull.",
  ),
  outboxBytesClose: key(
    bytes(4 * KiB, 4096 * MiB),
    8 * MiB,
    "Bytes queued beyond which even replies have no room and the connection is closed.",
  ),
  outboxBytesTotal: key(
    bytes(4 * KiB, 65_536 * MiB),
    512 * MiB,
    "Bytes queued on all connections together beyond which those that hold most are closed.",
  ),
  commitBytesMax: key(
    bytes(64 * KiB, 4096 * MiB),
    64 * MiB,
    "Bytes waiting for the store beyond which new sends are refused as `overloaded`.",
  ),
  bodyBytesMax: key(bytes(1, limits.bodyBytesMax), 64 * KiB, "Largest body of a message."),
  membersMax: key(integer(2, 10_000_000), 10_000, "Members of one group."),
  usersCreateGroups: key(boolean, true, "Whether users may create groups themselves; backends always may."),
  userDirectory: key(boolean, true, "Whether users may see who else is in their domain."),
  presence: key(boolean, true, "Whether users may see who is online; backends always may."),
  connectsPerSecond: key(
    integer(1, 1_000_000),
    5_000,
    "Handshakes admitted per second; the others are told when to come back.",
  ),
  backlogConversationsMax: key(
    integer(0, 10_000_000),
    100_000,
    "Conversations with something left to read that sessions remember between two pages of `sync`, all together.",
  ),
  residentConversationsMax: key(
    integer(100, 100_000_000),
    50_000,
    "Conversations kept in memory, and as many entries in the lists of users who have signed in.",
  ),
  poll: {
    holdMsMin: key(
      milliseconds(0, 10 * minute),
      75_000,
      "A long poll without news is held between `holdMsMin` …",
    ),
    holdMsMax: key(
      milliseconds(0, 10 * minute),
      90_000,
      "… and `holdMsMax`, at random, so that clients do not come back all at once.",
    ),
  },
  metrics: {
    token: secret(
      text(0, 512),
      "",
      "Bearer token for `GET /metrics`, 16 characters or more. Empty: only this machine may read it.",
    ),
  },
  drainMs: key(
    milliseconds(0, 10 * minute),
    0,
    "Time between `/readyz` answering 503 and the first connection being closed, for load balancers to notice.",
  ),
  drainRate: key(
    integer(1, 100, "percent per second"),
    10,
    "With `postgres.url`: how many of its connections a node that stops closes per second, at least 1000; the others are served meanwhile.",
  ),
} as const;

/** Relations between keys: `[condition that must hold, the keys, what is wrong]`. */
export function contradictions(config: Config): { readonly path: string; readonly message: string }[] {
  const rules: [boolean, string, string][] = [
    [config.poll.holdMsMin <= config.poll.holdMsMax, "poll.holdMsMin", "must not be above poll.holdMsMax"],
    [
      config.outboxBytesMax <= config.outboxBytesClose,
      "outboxBytesMax",
      "must not be above outboxBytesClose",
    ],
    [
      config.outboxBytesClose <= config.outboxBytesTotal,
      "outboxBytesClose",
      "must not be above outboxBytesTotal",
    ],
    [
      config.bodyBytesMax <= config.outboxBytesClose / 2,
      "bodyBytesMax",
      "must not be above half of outboxBytesClose",
    ],
    [config.bodyBytesMax <= config.commitBytesMax, "bodyBytesMax", "must not be above commitBytesMax"],
    [
      config.metrics.token === "" || config.metrics.token.length >= 16,
      "metrics.token",
      "must have at least 16 characters",
    ],
    [
      Object.keys(config.postgres.servers).length === 0 || config.postgres.url !== "",
      "postgres.servers",
      "needs postgres.url, which names the home server",
    ],
    [
      config.nats.url.length === 0 || config.postgres.url !== "",
      "nats.url",
      "needs postgres.url: nodes that are joined keep their data in one place",
    ],
    [
      config.nats.url.length === 0 || Object.keys(config.domains).length > 0,
      "domains",
      "must be set where nats.url is: all nodes need the same keys",
    ],
    [
      config.advertise === "" || config.postgres.url !== "",
      "advertise",
      "needs postgres.url: a node on a store of its own has no other nodes",
    ],
    [config.port === 0 || config.port !== config.tcpPort, "tcpPort", "must not be the same as port"],
  ];
  return rules.filter(([holds]) => !holds).map(([, path, message]) => ({ path, message }));
}

type ValueOf<S> = S extends Key<infer T> ? T : { readonly [K in keyof S]: ValueOf<S[K]> };
type InputOf<S> = S extends Key<infer T> ? T : { readonly [K in keyof S]?: InputOf<S[K]> | undefined };

/** A complete, valid configuration. */
export type Config = ValueOf<typeof schema>;
/** Any part of a configuration: what a file or the caller of `createServer` says. */
export type ConfigInput = InputOf<typeof schema>;

export interface NamedKey extends Key<unknown> {
  /** `log.level`: the place in the file. */
  readonly path: string;
  /** `HONGYAN_LOG_LEVEL` */
  readonly environment: string;
  /** `log-level`, or undefined for secrets. */
  readonly flag: string | undefined;
}

function isKey(value: object): value is Key<unknown> {
  return "kind" in value;
}

function flatten(tree: object, prefix: string): NamedKey[] {
  return Object.entries(tree).flatMap(([name, value]: [string, object]) => {
    const path = prefix + name;
    if (!isKey(value)) return flatten(value, `${path}.`);
    const words = path.replaceAll(".", "-").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return [
      {
        ...value,
        path,
        environment: `HONGYAN_${words.replaceAll("-", "_").toUpperCase()}`,
        flag: value.secret ? undefined : words,
      },
    ];
  });
}

/** Every key with its names, in the order of the table. */
export const namedKeys: readonly NamedKey[] = flatten(schema, "");
