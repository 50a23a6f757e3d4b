import assert from "node:assert/strict";
import { test } from "node:test";
import { Drafts } from "../src/chat/drafts.ts";
import { Accounts, isSignedOut } from "../src/sign-in/accounts.ts";
import { memoryStorage } from "../src/sign-in/browser-storage.ts";
import { claimsOf, tokenIn } from "../src/sign-in/claims.ts";
import { isRefused } from "../src/sign-in/refused.ts";

const now = 1_700_000_000_000;

function token(user: string, domain = "demo", expiresAt = now + 60_000): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256", kid: "k" })}.${part({ sub: user, domain, exp: expiresAt / 1000 })}.c2ln`;
}

test("a token is found in a sign-in link, in a fragment and by itself", () => {
  const one = token("alice");
  for (const text of [
    one,
    ` ${one}\n`,
    `#token=${one}`,
    `http://127.0.0.1:8080/#token=${one}`,
    `http://h/#x=1&token=${encodeURIComponent(one)}`,
  ]) {
    assert.equal(tokenIn(text), one);
  }
});

test("what is no token is refused", () => {
  for (const text of [
    "",
    "alice",
    "a.b.c",
    "#token=%E0%A4%A",
    "https://example.org/",
    `${token("alice")}.x`,
    "e30.e30.e30",
  ]) {
    assert.equal(tokenIn(text), undefined, text);
  }
});

test("names in tokens are UTF-8", () => {
  assert.equal(claimsOf(token("\u9648@x"))?.user, "\u9648@x");
});

test("two tabs of one browser can be two people, and each stays who it is after a reload", () => {
  const browser = memoryStorage();
  const [one, other] = [memoryStorage(), memoryStorage()];
  assert.equal(new Accounts(one, browser).current(`#token=${token("alice")}`, now)?.user, "alice");
  assert.equal(new Accounts(other, browser).current(`#token=${token("bob")}`, now)?.user, "bob");
  assert.equal(new Accounts(one, browser).current("", now)?.user, "alice");
  assert.equal(new Accounts(other, browser).current("#/c/alice:bob", now)?.user, "bob");
});

test("a new tab continues as the only remembered account, and asks when there are several", () => {
  const browser = memoryStorage();
  new Accounts(memoryStorage(), browser).signIn(token("alice"));
  assert.equal(new Accounts(memoryStorage(), browser).current("", now)?.user, "alice");
  new Accounts(memoryStorage(), browser).signIn(token("alice", "other"));
  const accounts = new Accounts(memoryStorage(), browser);
  assert.equal(accounts.current("", now), undefined);
  assert.deepEqual(
    accounts
      .remembered()
      .map(({ domain }) => domain)
      .sort(),
    ["demo", "other"],
  );
});

test("expired accounts are not continued by themselves", () => {
  const browser = memoryStorage();
  new Accounts(memoryStorage(), browser).signIn(token("alice", "demo", now - 1000));
  assert.equal(new Accounts(memoryStorage(), browser).current("", now), undefined);
});

test("signing out forgets the token of this account and of no other", () => {
  const browser = memoryStorage();
  const accounts = new Accounts(memoryStorage(), browser);
  new Accounts(memoryStorage(), browser).signIn(token("bob"));
  const alice = accounts.signIn(token("alice"));
  assert.ok(alice);
  accounts.signOut(alice);
  assert.deepEqual(
    accounts.remembered().map(({ user }) => user),
    ["bob"],
  );
});

test("drafts are kept per conversation and account, and an emptied draft is gone", () => {
  const storage = memoryStorage();
  const drafts = new Drafts(storage, "demo/alice");
  drafts.set("alice:bob", "half a sent");
  drafts.set("group", "x");
  drafts.set("group", "");
  drafts.flush();
  assert.deepEqual([...new Drafts(storage, "demo/alice").snapshot], [["alice:bob", "half a sent"]]);
  assert.equal(new Drafts(storage, "demo/bob").snapshot.size, 0);
});

test("signing out is told to the other tabs of the account, dropping a token that is no good is not", () => {
  const written: [string, string][] = [];
  const browser = memoryStorage();
  const watched = {
    ...browser,
    get length() {
      return browser.length;
    },
    setItem(key: string, value: string) {
      written.push([key, value]);
      browser.setItem(key, value);
    },
  };
  const accounts = new Accounts(memoryStorage(), watched);
  const [alice, bob] = [accounts.signIn(token("alice")), claimsOf(token("bob"))];
  assert.ok(alice && bob);
  const told = () => written.map(([key, newValue]) => ({ key, newValue }));
  accounts.drop(alice);
  assert.equal(
    told().some((event) => isSignedOut(event, alice)),
    false,
  );
  accounts.signOut(alice);
  assert.ok(told().some((event) => isSignedOut(event, alice)));
  assert.ok(!told().some((event) => isSignedOut(event, bob)));
});

test("a token that the server refuses leads to the sign-in page, unless something is kept that can be read", () => {
  const stopped = (reason: "unauthorized" | "replaced") =>
    ({ status: "stopped", reason, message: "" }) as const;
  assert.equal(isRefused(stopped("unauthorized"), []), true);
  assert.equal(isRefused(stopped("unauthorized"), ["a"]), false);
  assert.equal(isRefused(stopped("replaced"), []), false);
});
