import assert from "node:assert/strict";
import { test } from "node:test";
import { newDirectConversation } from "../src/chat/open-conversation.ts";
import { subtitleOf } from "../src/chat/subtitle.ts";
import { conversationRows, pageTitle } from "../src/conversations/conversation-rows.ts";
import { fragmentOf, routeOf } from "../src/page/route.ts";
import { stringsOf } from "../src/text/strings.ts";
import { conversation } from "./shown.ts";

const strings = stringsOf(["en"]);
const names: Record<string, string> = { bob: "Bob", carol: "Carol" };
const context = {
  nameOf: (user: string) => names[user] ?? user,
  drafts: new Map(),
  strings,
  self: "alice",
  open: undefined,
};
const last = {
  from: "bob",
  time: 5,
  messageType: undefined,
  text: "two\nlines",
  status: "received" as const,
};

test("a line shows who, what was said last on one line, and how much is unread", () => {
  const [row] = conversationRows(
    [conversation({ conversation: "alice:bob", last, unread: 3, activityAt: 5 })],
    "",
    context,
  );
  assert.deepEqual([row?.title, row?.preview, row?.unread, row?.status], ["Bob", "two lines", 3, undefined]);
});

test("groups say who said it, own messages how far they are", () => {
  const rows = conversationRows(
    [
      conversation({
        conversation: "g",
        kind: "group",
        name: "Walk",
        peer: undefined,
        last: { ...last, from: "carol" },
      }),
      conversation({ conversation: "alice:bob", last: { ...last, from: "alice", status: "delivered" } }),
    ],
    "",
    context,
  );
  assert.deepEqual(
    rows.map((row) => [row.preview, row.status]),
    [
      ["Carol: two lines", undefined],
      ["two lines", "delivered"],
    ],
  );
});

test("a draft stands in the list, but not for the open conversation", () => {
  const drafts = new Map([["alice:bob", "later"]]);
  const list = [conversation({ conversation: "alice:bob", last })];
  assert.equal(conversationRows(list, "", { ...context, drafts })[0]?.preview, "later");
  assert.equal(
    conversationRows(list, "", { ...context, drafts, open: "alice:bob" })[0]?.preview,
    "two lines",
  );
});

test("search looks into names, ids and the last message, whatever the case", () => {
  const list = [
    conversation({ conversation: "alice:bob", last }),
    conversation({ conversation: "alice:carol", peer: "carol" }),
  ];
  const found = (text: string) => conversationRows(list, text, context).map((row) => row.title);
  assert.deepEqual([found("CAR"), found("lines"), found("nobody")], [["Carol"], ["Bob"], []]);
});

test("the title of the tab counts what is unread", () => {
  const list = [
    conversation({ conversation: "a", unread: 2 }),
    conversation({ conversation: "b", unread: 1 }),
  ];
  assert.equal(pageTitle(list, undefined, "Hongyan"), "(3) Hongyan");
  assert.equal(pageTitle([], "Bob", "Hongyan"), "Bob \u00b7 Hongyan");
});

test("the address names the open conversation and nothing else can", () => {
  for (const id of ["alice:bob", "group.1", "a@x.org:b+c"]) assert.equal(routeOf(fragmentOf(id)), id);
  assert.equal(routeOf("#token=abc"), undefined);
  assert.equal(routeOf("#/c/%E0%A4%A"), undefined);
});

test("a direct conversation can be opened before its first message, but only an own one", () => {
  assert.equal(newDirectConversation("alice:zoe", "alice")?.peer, "zoe");
  assert.equal(newDirectConversation("alice:zoe", "zoe")?.peer, "alice");
  assert.equal(newDirectConversation("bob:zoe", "alice"), undefined);
  assert.equal(newDirectConversation("group", "alice"), undefined);
});

test("a group in which nothing has been said has no time", () => {
  const group = conversation({ conversation: "g", kind: "group", name: "Wild geese", activityAt: 7 });
  assert.equal(conversationRows([group], "", context)[0]?.at, 0);
  assert.equal(conversationRows([{ ...group, last }], "", context)[0]?.at, 7);
});

test("below the name of a group stands how many are in it, but not to somebody who has left", () => {
  const group = conversation({ conversation: "g", kind: "group", members: 3 });
  assert.equal(subtitleOf(group, "g", undefined, strings), "3 members");
  assert.equal(subtitleOf({ ...group, role: "none" }, "g", undefined, strings), "You are not a member");
});

test("below the name of a person stands whether they are online, where that is known, and their id", () => {
  const direct = conversation({ conversation: "alice:bob", kind: "direct", peer: "bob" });
  assert.equal(subtitleOf(direct, "bob", undefined, strings), "Direct conversation");
  assert.equal(subtitleOf(direct, "bob", true, strings), "online");
  assert.equal(subtitleOf(direct, "Bob", undefined, strings), "bob");
  assert.equal(subtitleOf(direct, "Bob", false, strings), "bob · offline");
});

test("the search field says what it searches", () => {
  for (const language of ["en", "zh"])
    assert.match(stringsOf([language]).list.search, /^Search conversations$|^搜索会话$/u);
});
