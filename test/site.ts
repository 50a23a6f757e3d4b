/** What the guarantees are asked of: one server, or several nodes that must not be told from one. */
import assert from "node:assert/strict";
import { type LaunchedServer, launchServer } from "@hongyan/testkit";
import { Cluster } from "./cluster.ts";
import type { Door } from "./doors.ts";
import { WireClient } from "./wire-client.ts";

let names = 0;

/** Users of a test of its own, so that tests share a site and nothing else. */
export function users(...roles: string[]): string[] {
  names++;
  return roles.map((role) => `${role}${names}`);
}

export class Site {
  readonly #nodes: readonly LaunchedServer[];
  readonly #end: () => Promise<void>;
  readonly #homes = new Map<WireClient, LaunchedServer>();
  #turn = 0;

  private constructor(nodes: readonly LaunchedServer[], end: () => Promise<void>) {
    this.#nodes = nodes;
    this.#end = end;
  }

  /** One server on the embedded store. */
  static async alone(settings: Readonly<Record<string, unknown>> = {}): Promise<Site> {
    const server = await launchServer({ settings });
    return new Site([server], () => server.close());
  }

  /** Three nodes on NATS and two PostgreSQL servers, with a half of the logs each. */
  static async ofThree(settings: Readonly<Record<string, unknown>> = {}): Promise<Site> {
    const cluster = await Cluster.start(3, settings, "127.0.0.1", ["east"]);
    return new Site(cluster.nodes, () => cluster.close());
  }

  close(): Promise<void> {
    return this.#end();
  }

  /** Where the next client or request goes: each to another node. */
  get next(): LaunchedServer {
    return this.#nodes[this.#turn++ % this.#nodes.length] as LaunchedServer;
  }

  async join(door: Door, user: string, device = "phone"): Promise<WireClient> {
    const home = this.next;
    const client = await WireClient.connect(door, home, { user, device, token: home.token(user) });
    this.#homes.set(client, home);
    return client;
  }

  /** Kills the server that `client` is connected to, and starts it again. */
  async crash(client: WireClient): Promise<void> {
    const home = this.#homes.get(client);
    assert.ok(home !== undefined);
    await home.kill();
    await home.start();
  }

  async backend(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const { httpUrl, apiKey } = this.next;
    const response = await fetch(`${httpUrl}/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text === "" ? {} : JSON.parse(text);
  }

  /** The log as the backend reads it: text by seq. */
  async log(conversation: string): Promise<string[]> {
    const all: string[] = [];
    let after = 0;
    for (;;) {
      const { messages } = (await this.backend(
        "GET",
        `/conversations/${encodeURIComponent(conversation)}/messages?after=${after}&limit=1000`,
      )) as {
        messages: { seq: number; body?: string; messageType?: string }[];
      };
      for (const { seq, body, messageType } of messages) {
        assert.equal(seq, after + 1, "G3 contiguous from 1");
        after = seq;
        if (messageType?.startsWith("hongyan.") !== true) all.push(body ?? "");
      }
      if (messages.length === 0) return all;
    }
  }
}
