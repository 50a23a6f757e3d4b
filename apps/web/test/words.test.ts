import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionNotice } from "../src/connection/connection-notice.ts";
import { matchingPeople, nobodyFound, unlistedId } from "../src/people/people.ts";
import { receiptGroups } from "../src/receipts/receipt-groups.ts";
import { initials } from "../src/text/initials.ts";
import { stringsOf } from "../src/text/strings.ts";
import { clockOf } from "../src/text/time.ts";
import { systemText } from "../src/timeline/system-text.ts";

const english = stringsOf(["fr-FR", "en-GB"]);
const chinese = stringsOf(["zh-TW", "en"]);
const nameOf = (user: string) => user.toUpperCase();
const plain = (text: string) => text.replace(/[\u2066-\u2069]/gu, "");

test("the language is the first of the user's that the page speaks", () => {
  assert.deepEqual([english.locale, chinese.locale, stringsOf(["de"]).locale], ["en-GB", "zh-TW", "en"]);
});

test("system entries are sentences about people, and names cannot turn them around", () => {
  const added = { from: "bob", messageType: "hongyan.added", text: '{"users":["carol","alice"],"by":"bob"}' };
  assert.equal(plain(systemText(added, nameOf, english, "alice")), "BOB added CAROL and You");
  assert.match(
    systemText(added, () => "\u202eevil", english, "x"),
    /\u2068\u202eevil\u2069/u,
  );
  const byServer = { from: "", messageType: "hongyan.created", text: "{}" };
  assert.equal(systemText(byServer, nameOf, english, "alice"), "The group was created");
  const renamed = { from: "bob", messageType: "hongyan.renamed", text: '{"name":"Walk","by":"bob"}' };
  assert.equal(plain(systemText(renamed, nameOf, english, "bob")), "You renamed the group to “Walk”");
});

test("a system entry with a broken or unknown body still has a sentence", () => {
  for (const text of [undefined, "", "[", "null", '{"users":7}']) {
    assert.ok(
      systemText({ from: "bob", messageType: "hongyan.added", text }, nameOf, chinese, "alice").length > 0,
    );
  }
  assert.equal(
    systemText({ from: "b", messageType: "hongyan.new", text: "{}" }, nameOf, english, "a"),
    english.system.other,
  );
});

test("receipts of a group: read, delivered, not yet; who joined later is not asked", () => {
  const member = (user: string, since = 1) => ({ user, name: undefined, role: "member" as const, since });
  const receipt = (user: string, delivered: number, read: number) => ({
    conversation: "g",
    user,
    delivered,
    read,
  });
  const groups = receiptGroups(
    5,
    [member("me"), member("a"), member("b"), member("c"), member("late", 6)],
    [receipt("a", 9, 5), receipt("b", 5, 4)],
    "me",
  );
  assert.deepEqual(groups, { read: ["a"], delivered: ["b"], waiting: ["c"] });
});

test("the connection bar says what is the matter and nothing while all is well", () => {
  const live = { status: "live", transport: "websocket", session: "s" } as const;
  assert.equal(connectionNotice(live, true, 0).kind, "none");
  const waiting = { status: "waiting", attempt: 2, retryAt: 5_200, reason: "" } as const;
  assert.deepEqual(connectionNotice(waiting, true, 1_000), { kind: "reconnecting", seconds: 5 });
  assert.equal(connectionNotice(waiting, false, 1_000).kind, "offline");
  const stopped = (reason: "replaced" | "token_expired" | "unauthorized" | "kicked") =>
    connectionNotice({ status: "stopped", reason, message: "m" }, true, 0).kind;
  assert.deepEqual(
    [stopped("replaced"), stopped("token_expired"), stopped("unauthorized"), stopped("kicked")],
    ["replaced", "expired", "unauthorized", "stopped"],
  );
});

test("people are found by name and id, those who begin with the text first", () => {
  const people = [
    { user: "u1", name: "Mabel" },
    { user: "u2", name: "Abel" },
    { user: "abe", name: undefined },
  ];
  const found = (text: string) => matchingPeople(people, text, new Set(["u9"])).map(({ user }) => user);
  assert.deepEqual(found("abe"), ["u2", "abe", "u1"]);
  assert.deepEqual(
    [unlistedId("zoe", people), unlistedId("u1", people), unlistedId("not an id", people)],
    ["zoe", undefined, undefined],
  );
});

test("initials: two letters of European names, the given name of Chinese ones, something for any other", () => {
  assert.deepEqual(
    ["Bob Okafor", "dana", "\u9648\u601d\u8fdc", "Odd things \u{1f9ea}", "  ", "\u{1f9ea}"].map(initials),
    ["BO", "D", "\u601d\u8fdc", "OT", "?", "\u{1f9ea}"],
  );
  assert.ok(initials(`Z${"\u0301".repeat(500)}`).length <= 3);
});

test("times are short for today and say the day before that", () => {
  const clock = clockOf("en-GB", english);
  const now = new Date(2025, 2, 5, 0, 10).getTime();
  assert.equal(clock.short(new Date(2025, 2, 4, 23, 50).getTime(), now), "Yesterday");
  assert.equal(clock.day(now, now), "Today");
  assert.equal(clock.day(new Date(2025, 2, 1, 9).getTime(), now), "Saturday 1 March");
  assert.equal(clock.short(new Date(2023, 2, 1, 9).getTime(), now), "01/03/2023");
});

test("who finds nobody is told why: nobody there, oneself, in already, or no match", () => {
  const without = new Set(["alice", "bob"]);
  const why = (text: string) => nobodyFound(text, without, "alice");
  assert.deepEqual(
    [why(" "), why("alice"), why("bob "), why("Zo\u00eb M\u00fcller")],
    ["empty", "self", "in-already", "no-match"],
  );
  assert.equal(unlistedId("alice", [], without), undefined, "one cannot be offered oneself");
  for (const strings of [english, chinese]) assert.match(strings.people.noMatch("Zo\u00eb"), /Zo\u00eb.*64/u);
});

test("the sign-in page names a command that is there, and says that it makes a token", () => {
  for (const { signIn } of [english, chinese]) {
    assert.match(signIn.command, /^npx hongyan token --user/u);
    assert.match(signIn.hint, /token|\u4ee4\u724c/u);
  }
});
