import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement, type ReactNode } from "react";
import { renderToString } from "react-dom/server";
import {
  HongyanProvider,
  useClient,
  useConnection,
  useConversations,
  useMembers,
  useMessages,
  useProfile,
  useReceipts,
} from "../src/react.ts";
import { World } from "./support/world.ts";

const pair = "alice:bob";

function Page(): ReactNode {
  const connection = useConnection();
  const conversations = useConversations();
  const { messages, loadOlder } = useMessages(pair);
  const members = useMembers(pair);
  const receipts = useReceipts(pair);
  const profile = useProfile("bob");
  const lines = [
    connection.status,
    conversations.map(({ peer, unread }) => `${peer} ${unread}`).join(),
    messages.map(({ text, status }) => `${text} ${status}`).join(),
    `${members.loaded} ${receipts.loaded} ${profile.user} ${typeof loadOlder} ${useClient().user}`,
  ];
  return createElement("p", null, lines.join(" | "));
}

test("hooks show what the client shows", async () => {
  const world = new World();
  const alice = await world.live("alice");
  world.server.append(pair, "bob", "hello");
  await world.clock.until(() => alice.seen.length === 1, "seen");
  await alice.client.messages(pair).toLatest();
  const html = renderToString(createElement(HongyanProvider, { client: alice.client }, createElement(Page)));
  assert.equal(html, "<p>live | bob 1 | hello received | false false bob function alice</p>");
});

test("a hook without a provider says what is missing", () => {
  assert.throws(() => renderToString(createElement(Page)), /HongyanProvider/);
});
