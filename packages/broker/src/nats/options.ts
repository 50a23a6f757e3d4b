import { readFile } from "node:fs/promises";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import type { Journal } from "@hongyan/core";
import { credsAuthenticator, type NodeConnectionOptions } from "@nats-io/transport-node";
import { BrokerError } from "./broker-error.ts";

export interface NatsOptions {
  /** `nats://host:4222`, or `tls://…` for servers that must be encrypted; several name the servers of one cluster. */
  readonly url: string | readonly string[];
  /** Name of this node; NATS shows it among its connections. */
  readonly node: string;
  readonly journal: Journal;
  /**
   * Called when events of other nodes may have been lost: after a reconnect, or when another node had to drop some.
   * Not more than twice a second.
   */
  readonly missed?: () => void;
  /** What all subjects begin with, ending with a dot: deployments that share a NATS must not share it. `hongyan.` */
  readonly prefix?: string;
  /** At most one of these three ways to sign in. */
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** A `.creds` file with a JWT and its key. */
  readonly credentialsFile?: string;
  /** Files in PEM. Without `ca` the authorities of the system are trusted. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Bytes that may be on their way to NATS; what is published beyond is dropped. 16 MiB */
  readonly bufferBytesMax?: number;
  /** Time for a server to answer at the start, and on every later attempt. 5,000 */
  readonly connectTimeoutMs?: number;
}

export const defaults = {
  prefix: "hongyan.",
  bufferBytesMax: 16 * 1024 * 1024,
  connectTimeoutMs: 5000,
} as const;

const reconnectDelayMsMin = 250;
const reconnectDelayMsMax = 2000;
/** A connection that is half open is given up after twice to three times this. */
const pingEveryMs = 10_000;

/** What the library is to be told. Rejects with `BrokerError` where an operator has to change something. */
export async function connectionOptions(options: NatsOptions): Promise<NodeConnectionOptions> {
  const servers = urls(options);
  if (servers.length === 0) throw new BrokerError("misconfigured", "there is no address of NATS");
  for (const url of servers) checkUrl(url);
  checkPrefix(options.prefix ?? defaults.prefix);
  return {
    servers: [...servers],
    name: `hongyan ${options.node}`,
    ...(await credentials(options)),
    ...(await encryption(options)),
    // Subscribers of this node are served without NATS.
    noEcho: true,
    timeout: options.connectTimeoutMs ?? defaults.connectTimeoutMs,
    pingInterval: pingEveryMs,
    maxReconnectAttempts: -1,
    // Credentials that NATS refuses for a moment, while its configuration is changed, must not end a node's life.
    ignoreAuthErrorAbort: true,
    // A cluster's nodes do not return at the same moment.
    reconnectDelayHandler: () =>
      reconnectDelayMsMin + Math.random() * (reconnectDelayMsMax - reconnectDelayMsMin),
    noAsyncTraces: true,
  };
}

export function urls({ url }: Pick<NatsOptions, "url">): readonly string[] {
  return typeof url === "string" ? [url] : url;
}

function checkUrl(text: string): void {
  const url = URL.parse(text);
  if (url === null || !["nats:", "tls:"].includes(url.protocol) || url.hostname === "")
    throw new BrokerError(
      "misconfigured",
      `${JSON.stringify(withoutPassword(text))} is no address of NATS: write nats://host:4222 or tls://host:4222`,
    );
  if (url.username !== "" || url.password !== "")
    throw new BrokerError(
      "misconfigured",
      `the address ${withoutPassword(text)} holds credentials: give them as nats.user and nats.pass, so that they are not shown with it`,
    );
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/.*@/, "//…@");
}

function checkPrefix(prefix: string): void {
  if (prefix.length > 128 || !/^([A-Za-z0-9_-]+\.)+$/.test(prefix))
    throw new BrokerError(
      "misconfigured",
      `the subject prefix ${JSON.stringify(prefix)} must be words of letters, digits, - and _, each followed by a dot, 128 characters at most`,
    );
}

async function credentials(options: NatsOptions): Promise<NodeConnectionOptions> {
  const { user, pass, token, credentialsFile } = options;
  if ([user, token, credentialsFile].filter((way) => way !== undefined).length > 1)
    throw new BrokerError("misconfigured", "give NATS one of user and pass, token, or a credentials file");
  if ((user === undefined) !== (pass === undefined))
    throw new BrokerError("misconfigured", "NATS needs user and pass together");
  if (user !== undefined) return { user, pass };
  if (token !== undefined) return { token };
  if (credentialsFile === undefined) return {};
  const authenticator = credsAuthenticator(await fileOf("credentials", credentialsFile));
  try {
    authenticator("nonce");
  } catch (error) {
    throw new BrokerError("misconfigured", `${credentialsFile} holds no credentials of NATS`, error);
  }
  return { authenticator };
}

async function encryption({ tls, ...options }: NatsOptions): Promise<NodeConnectionOptions> {
  const addresses = urls(options).map((url) => new URL(url));
  if (tls === undefined && !addresses.some(({ protocol }) => protocol === "tls:")) return {};
  if ((tls?.cert === undefined) !== (tls?.key === undefined))
    throw new BrokerError("misconfigured", "a certificate for NATS needs its key, and a key its certificate");
  const read = async (what: string, path: string | undefined) =>
    path === undefined ? undefined : new TextDecoder().decode(await fileOf(what, path));
  const checked = {
    ca: await read("authority's certificate", tls?.ca),
    cert: await read("certificate", tls?.cert),
    key: await read("key", tls?.key),
    // The library knows the name of a server only where it was given one, and a cluster tells addresses: whoever has
    // a certificate for one of the configured hosts belongs to them.
    checkServerIdentity: (name: string, certificate: PeerCertificate) =>
      addresses.some(({ hostname }) => checkServerIdentity(hostname, certificate) === undefined)
        ? undefined
        : checkServerIdentity(name, certificate),
  };
  return { tls: checked };
}

async function fileOf(what: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new BrokerError(
      "misconfigured",
      `cannot read the ${what} for NATS: ${(error as Error).message}`,
      error,
    );
  }
}
