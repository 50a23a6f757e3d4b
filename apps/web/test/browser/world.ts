/** A real server, a real browser, and people who have pages open. */
import type { TestContext } from "node:test";
import { type LaunchedServer, launchServer } from "@hongyan/testkit";
import type { BrowserContextOptions } from "playwright-core";
import { buildPage } from "./built-page.ts";
import { ChatPage } from "./chat-page.ts";
import { launchBrowser } from "./chromium.ts";
import { type Network, network } from "./network.ts";

export interface World {
  readonly server: LaunchedServer;
  /** A browser of somebody's own, with a page open as that user. */
  person(user: string, options?: PersonOptions): Promise<ChatPage>;
  /** A way to the server that can be cut. */
  network(): Promise<Network>;
  /** A command of the HTTP API; rejects when it is refused. */
  api(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Sends over the HTTP API, as a backend does. */
  said(conversation: string, from: string, texts: readonly string[]): Promise<void>;
  /** A sign-in link as the server prints it. */
  link(user: string, origin?: string): string;
}

export interface PersonOptions extends BrowserContextOptions {
  /** Reaches the server this way. */
  readonly through?: Network;
}

const names: Record<string, string> = { alice: "Alice", bob: "Bob", carol: "Carol", dave: "Dave" };

export async function world(t: TestContext): Promise<World> {
  await buildPage();
  const server = await launchServer();
  t.after(() => server.close());
  const browser = await launchBrowser();
  t.after(() => browser.close());

  const api = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(server.httpUrl + path, {
      method,
      headers: { authorization: `Bearer ${server.apiKey}`, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  for (const [user, name] of Object.entries(names)) await api("PUT", `/v1/users/${user}`, { name });

  let sent = 0;
  const link = (user: string, origin = server.httpUrl) => `${origin}/#token=${server.token(user)}`;
  return {
    server,
    api,
    link,
    async network() {
      const way = await network(server.httpPort);
      t.after(() => way.close());
      return way;
    },
    async person(user, { through, ...options } = {}) {
      const context = await browser.browser.newContext({
        locale: "en-GB",
        viewport: { width: 1100, height: 760 },
        ...options,
      });
      return ChatPage.open(await context.newPage(), link(user, through?.url), user);
    },
    async said(conversation, from, texts) {
      const path = `/v1/conversations/${encodeURIComponent(conversation)}/messages`;
      for (const body of texts) await api("POST", path, { from, clientMessageId: `backend:${++sent}`, body });
    },
  };
}
