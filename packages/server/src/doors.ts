/** Everything that listens: the HTTP port with page, API and held connections, WebSocket on it, and TCP. */
import { setTimeout } from "node:timers/promises";
import type { Journal, Node, Store } from "@hongyan/core";
import { addApi } from "./api/api.ts";
import { addOpenApiRoute, describeApi } from "./api/openapi.ts";
import { apiKeysOf } from "./auth/api-keys.ts";
import type { Token } from "./auth/tokens.ts";
import type { Domains } from "./config/domains.ts";
import type { Config } from "./config/schema.ts";
import { Forwarder } from "./forwarding/forwarder.ts";
import { NodeDirectory } from "./forwarding/node-directory.ts";
import { createHttpServer, type HttpServer } from "./http/http-server.ts";
import { Origins } from "./http/origins.ts";
import { addUpgradeRequired } from "./http/upgrade-required.ts";
import { addHealthRoutes, Readiness } from "./operations/health.ts";
import { addMetricsRoute } from "./operations/metrics.ts";
import type { Joint, Keeping } from "./process/engines.ts";
import { urlHost } from "./process/loopback.ts";
import { systemRandom } from "./process/random.ts";
import { listenError } from "./process/start-error.ts";
import { packageVersion } from "./process/version.ts";
import { type HeldConnections, heldConnections } from "./transport/held.ts";
import { Port } from "./transport/port.ts";
import { listenTcp, type TcpListener } from "./transport/tcp.ts";
import type { Traffic } from "./transport/traffic.ts";
import { attachWebSocket } from "./transport/websocket/attach.ts";
import type { WebSocketUpgrades } from "./transport/websocket/upgrade.ts";
import { addPage } from "./web/page.ts";

const webSocketPath = "/ws";
/** How long connections may take to end by themselves once they were told to. */
const lingerMsMax = 5_000;
const heldLingerMs = 500;
/** A request at another node is given up when nothing has come for so long after a poll would have ended. */
const forwardedSilenceMs = 10_000;

function sleep(ms: number): Promise<void> {
  return setTimeout(ms, undefined, { ref: false });
}

export interface Address {
  readonly host: string;
  /** Page, API, WebSocket, long poll and event stream. */
  readonly port: number;
  /** Frames over TCP; undefined where switched off. */
  readonly tcpPort: number | undefined;
  /** `http://127.0.0.1:8080` */
  readonly url: string;
}

export interface DoorsOptions {
  readonly config: Config;
  readonly domains: Domains;
  readonly node: Node;
  readonly store: Store;
  readonly postgres: Keeping["postgres"];
  readonly joint: Joint;
  readonly journal: Journal;
  mintToken(domain: string, user: string, lifetimeMs: number): Promise<Token>;
}

export class Doors {
  readonly #options: DoorsOptions;
  readonly #http: HttpServer;
  readonly #port: Port;
  readonly #webSockets: WebSocketUpgrades;
  readonly #held: HeldConnections;
  readonly #directory: NodeDirectory | undefined;
  readonly #forwarder: Forwarder | undefined;
  #tcp: TcpListener | undefined;
  #draining = false;

  constructor(options: DoorsOptions) {
    const { config, journal, node } = options;
    const { allowedOrigins, outboxBytesMax: drainedAboveBytes } = config;
    const origins = new Origins(allowedOrigins, journal);
    this.#options = options;
    if (config.advertise !== "") {
      this.#directory = new NodeDirectory({
        store: options.store,
        journal,
        random: systemRandom,
        url: config.advertise,
      });
      const silenceMsMax = config.poll.holdMsMax + forwardedSilenceMs;
      this.#forwarder = new Forwarder({ directory: this.#directory, silenceMsMax });
    }
    this.#held = heldConnections({
      acceptor: node,
      journal,
      random: systemRandom,
      nowMs: performance.now(),
      holdMsMin: config.poll.holdMsMin,
      holdMsMax: config.poll.holdMsMax,
      origins: allowedOrigins,
      drainedAboveBytes,
      forwarder: this.#forwarder,
    });
    this.#http = createHttpServer({ journal, origins, held: this.#held });
    this.#port = new Port(this.#http.server);
    this.#webSockets = attachWebSocket(this.#http.server, {
      path: webSocketPath,
      acceptor: node,
      journal,
      drainedAboveBytes,
      isOriginAllowed: (_origin, request) => origins.allows(request),
    });
  }

  /** Adds the routes. */
  async build(): Promise<void> {
    const { config, domains, node, store, joint, journal, mintToken } = this.#options;
    const { app } = this.#http;
    await describeApi(app, packageVersion());
    await app.register(async (scope) => {
      const readiness = new Readiness(store, () => this.#draining);
      addHealthRoutes(scope, readiness);
      addMetricsRoute(scope, {
        fault: () => readiness.fault(),
        statistics: () => node.statistics,
        traffic: () => this.#traffic(),
        joint: joint.statistics,
        forwards: this.#forwarder?.statistics,
        postgres: this.#options.postgres,
        token: config.metrics.token,
      });
    });
    await addApi(app, {
      apiKeys: apiKeysOf(domains),
      journal,
      bodyBytesMax: config.bodyBytesMax,
      tokenLifetimeMsMax: config.tokenLifetimeMsMax,
      logRequests: config.log.requests,
      backend: (domain) => node.backend(domain),
      mintToken,
    });
    addOpenApiRoute(app);
    addUpgradeRequired(app, webSocketPath);
    if (config.web) await addPage(app, journal);
    await app.ready();
  }

  /** Rejects with `StartError`. */
  async listen(): Promise<Address> {
    const { host, port } = this.#options.config;
    // Before the first connection is opened that another node is asked for.
    await this.#directory?.open();
    try {
      await this.#port.listen(port, host);
    } catch (error) {
      throw listenError(error, "--port", host, port);
    }
    this.#http.server.on("error", (error) => this.#options.journal.warn("http.error", { error }));
    const { number: actual } = this.#port;
    return { host, port: actual, tcpPort: await this.#listenTcp(), url: `http://${urlHost(host)}:${actual}` };
  }

  async #listenTcp(): Promise<number | undefined> {
    const { node, journal, config } = this.#options;
    const { host, tcpPort: port, outboxBytesMax: drainedAboveBytes } = config;
    if (port === "off") return undefined;
    try {
      this.#tcp = await listenTcp({ acceptor: node, journal, port, host, drainedAboveBytes });
    } catch (error) {
      throw listenError(error, "--tcp-port", host, port);
    }
    return this.#tcp.port;
  }

  #traffic(): Readonly<Record<string, Traffic>> {
    const { traffic: websocket } = this.#webSockets;
    const { traffic: held } = this.#held;
    return this.#tcp === undefined ? { websocket, held } : { websocket, held, tcp: this.#tcp.traffic };
  }

  /** To be called about every 100 ms: polls that have waited long enough, other nodes. */
  tick(): void {
    const nowMs = performance.now();
    this.#held.sweep(nowMs);
    this.#directory?.tick(nowMs);
  }

  /** From now on `/readyz` answers 503. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * Closes the ports. The promise resolves when what is connected has ended, which is for the core to ask for, or
   * after a few seconds: whoever does not take the good-bye does not keep the server from stopping.
   */
  async close(): Promise<void> {
    const { server, app } = this.#http;
    this.#forwarder?.close();
    const closed = server.listening ? this.#port.close() : undefined;
    // A connection that becomes idle now would stay open for the next request, until its keep-alive time is over.
    const idle = setInterval(() => server.closeIdleConnections(), 50);
    try {
      // A client that was between two polls may never come for its good-bye.
      const held = Promise.race([this.#held.close(), sleep(heldLingerMs)]);
      const gone = Promise.all([closed, held, this.#webSockets.close(), this.#tcp?.close()]);
      await Promise.race([gone, sleep(lingerMsMax)]);
    } finally {
      clearInterval(idle);
      server.closeAllConnections();
      await this.#directory?.close();
    }
    await app.close();
  }
}
