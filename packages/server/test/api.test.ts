import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend } from "@hongyan/core";
import { type ErrorName, errors, isConversationId, isId, ProtocolError } from "@hongyan/protocol";
import { type Answer, acmeKey, boltKey, httpWorld } from "./http-world.ts";

function isError(
  { status, body }: Answer,
  name: ErrorName,
  httpStatus: number = errors[name].httpStatus,
): void {
  assert.equal(body?.error?.name, name, JSON.stringify(body));
  assert.equal(status, httpStatus);
  assert.equal(body.error.code, errors[name].code);
  assert.equal(typeof body.error.message, "string");
  assert.notEqual(body.error.message, "");
}

const group = {
  conversation: "team",
  name: "Team",
  members: [{ user: "alice", role: "owner" }, { user: "bob" }],
};
const hello = { from: "alice", clientMessageId: "c:1", body: "hello" };

test("users are put, read, listed in pages and removed", async () => {
  const { call } = await httpWorld();
  for (const user of ["carol", "alice", "bob"]) {
    assert.deepEqual((await call("PUT", `/v1/users/${user}`, { name: user.toUpperCase() })).body, {
      user,
      name: user.toUpperCase(),
    });
  }
  assert.deepEqual((await call("PUT", "/v1/users/dave", {})).body, { user: "dave" });
  assert.deepEqual((await call("GET", "/v1/users/alice")).body, { user: "alice", name: "ALICE" });
  const first = await call("GET", "/v1/users?limit=3");
  assert.deepEqual(
    first.body.users.map(({ user }: { user: string }) => user),
    ["alice", "bob", "carol"],
  );
  const second = await call("GET", `/v1/users?limit=3&after=${first.body.next}`);
  assert.deepEqual(second.body, { users: [{ user: "dave" }] });
  assert.equal((await call("DELETE", "/v1/users/alice")).status, 204);
  isError(await call("GET", "/v1/users/alice"), "not_found");
});

test("a conversation is created once, changed, and its members come and go", async () => {
  const { call } = await httpWorld();
  const created = await call("POST", "/v1/conversations", group);
  assert.equal(created.status, 201);
  assert.deepEqual(created.body, { conversation: "team", created: true });
  assert.equal((await call("POST", "/v1/conversations", group)).status, 200);
  const changed = await call("PATCH", "/v1/conversations/team", { name: "Geese", open: true });
  assert.equal(changed.body.name, "Geese");
  assert.equal(changed.body.open, true);
  assert.deepEqual((await call("GET", "/v1/conversations/team")).body, changed.body);
  assert.equal((await call("GET", "/v1/conversations")).body.conversations.length, 1);
  const more = { members: [{ user: "carol" }, { user: "bob" }, { user: "dave", role: "admin" }] };
  assert.deepEqual((await call("POST", "/v1/conversations/team/members", more)).body, { added: 2 });
  assert.equal((await call("DELETE", "/v1/conversations/team/members/carol")).status, 204);
  const { body } = await call("GET", "/v1/conversations/team/members");
  assert.deepEqual(
    body.members.map(({ user, role }: { user: string; role: string }) => `${user} ${role}`),
    ["alice owner", "bob member", "dave admin"],
  );
});

test("G2 a message sent again is stored once and answers the same seq; another body is a conflict", async () => {
  const { call } = await httpWorld();
  await call("POST", "/v1/conversations", group);
  const first = await call("POST", "/v1/conversations/team/messages", hello);
  assert.equal(first.status, 201);
  assert.equal(first.body.duplicate, false);
  const again = await call("POST", "/v1/conversations/team/messages", hello);
  assert.equal(again.status, 200);
  assert.deepEqual(again.body, { ...first.body, duplicate: true });
  isError(await call("POST", "/v1/conversations/team/messages", { ...hello, body: "other" }), "conflict");
  const { body } = await call("GET", "/v1/conversations/team/messages");
  const bodies = body.messages
    .filter(({ from }: { from: string }) => from === "alice")
    .map(({ body }: { body: string }) => body);
  assert.deepEqual(bodies, ["hello"]);
});

test("history goes on after and ends before a seq; bodies that are not text come in base64", async () => {
  const { call } = await httpWorld();
  const url = "/v1/conversations/alice:bob/messages";
  for (let n = 1; n <= 4; n++)
    await call("POST", url, { from: "alice", clientMessageId: `c:${n}`, body: `${n} 鸿雁` });
  await call("POST", url, { from: "bob", clientMessageId: "c:1", bodyBase64: "/wA=", messageType: "image" });
  const seqs = async (query: string) =>
    (await call("GET", `${url}${query}`)).body.messages.map(({ seq }: { seq: number }) => seq);
  assert.deepEqual(await seqs(""), [1, 2, 3, 4, 5]);
  assert.deepEqual(await seqs("?limit=2"), [4, 5]);
  assert.deepEqual(await seqs("?after=1&limit=2"), [2, 3]);
  assert.deepEqual(await seqs("?before=4&limit=2"), [2, 3]);
  assert.deepEqual(await seqs("?after=5"), []);
  const { messages } = (await call("GET", `${url}?after=3`)).body;
  assert.equal(messages[0].body, "4 鸿雁");
  assert.equal(messages[1].bodyBase64, "/wA=");
  assert.equal(messages[1].messageType, "image");
  isError(await call("GET", `${url}?before=1&after=1`), "bad_request");
});

test("the conversations of a user come with their unread counts", async () => {
  const { call } = await httpWorld();
  for (let n = 1; n <= 3; n++) {
    await call("POST", "/v1/conversations/alice:bob/messages", { ...hello, clientMessageId: `c:${n}` });
  }
  const { body } = await call("GET", "/v1/users/bob/conversations");
  assert.deepEqual(body, { conversations: [{ conversation: "alice:bob", head: 3, read: 0, unread: 3 }] });
});

test("an empty body that says it is JSON is no body: accepted where none is needed, refused where one is", async () => {
  const { call } = await httpWorld();
  await call("POST", "/v1/conversations", group);
  await call("PUT", "/v1/users/alice", { name: "Alice" });
  const headers = { "content-type": "application/json" };
  const status = async (method: string, url: string, body?: string) =>
    (await call(method, url, body, { headers })).status;
  for (const body of [undefined, ""]) {
    assert.equal(await status("POST", "/v1/users/alice/tokens", body), 201);
    assert.equal(await status("POST", "/v1/users/alice/kick", body), 204);
    assert.equal(await status("GET", "/v1/users/alice", body), 200);
  }
  assert.equal(await status("DELETE", "/v1/conversations/team/members/bob", ""), 204);
  assert.equal(await status("DELETE", "/v1/users/alice", ""), 204);
  for (const [method, url] of [
    ["PUT", "/v1/users/alice"],
    ["POST", "/v1/conversations"],
    ["PATCH", "/v1/conversations/team"],
    ["POST", "/v1/conversations/team/members"],
    ["POST", "/v1/conversations/team/messages"],
  ] as const)
    isError(await call(method, url, "", { headers }), "bad_request");
  isError(await call("POST", "/v1/users/alice/kick", "{", { headers }), "bad_request");
  isError(await call("POST", "/v1/users/alice/kick", '{"__proto__":{}}', { headers }), "bad_request");
});

test("who is online is asked for by ids with commas between them", async () => {
  const { call } = await httpWorld();
  assert.deepEqual((await call("GET", "/v1/online?users=alice,bob,alice")).body, { online: [] });
  const many = Array.from({ length: 501 }, (_, n) => `u${n}`);
  assert.equal((await call("GET", `/v1/online?users=${many.slice(1)}`)).status, 200);
  for (const query of ["", "?users=", "?users=alice,", "?users=a%20b", `?users=${many}`, "?users=a&x=1"])
    isError(await call("GET", `/v1/online${query}`), "bad_request");
});

test("tokens are made for a while that the server allows", async () => {
  const { call } = await httpWorld();
  const made = await call("POST", "/v1/users/alice/tokens");
  assert.equal(made.status, 201);
  assert.match(made.body.token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  assert.ok(made.body.expiresAt > Date.now());
  assert.equal((await call("POST", "/v1/users/alice/tokens", { ttlSeconds: 60 })).status, 201);
  const tooLong = await call("POST", "/v1/users/alice/tokens", { ttlSeconds: 99_999_999 });
  isError(tooLong, "bad_request");
  assert.equal(tooLong.body.error.message, "ttlSeconds in the body must be at most 3600");
  isError(await call("POST", "/v1/users/alice/tokens", { ttlSeconds: 3601 }), "bad_request");
  isError(await call("POST", "/v1/users/alice/tokens", { ttlSeconds: 0 }), "bad_request");
});

test("G10 one domain's key sees nothing of another: not yours and not there answer alike", async () => {
  const { call } = await httpWorld();
  await call("PUT", "/v1/users/alice", { name: "Alice" });
  await call("POST", "/v1/conversations", group);
  await call("POST", "/v1/conversations/team/messages", hello);
  const bolt = { key: boltKey };
  for (const url of [
    "/v1/users/alice",
    "/v1/conversations/team",
    "/v1/conversations/team/messages",
    "/v1/conversations/team/members",
  ]) {
    const theirs = await call("GET", url, undefined, bolt);
    const missing = await call(
      "GET",
      url.replace("alice", "nobody").replace("team", "nothing"),
      undefined,
      bolt,
    );
    isError(theirs, "not_found");
    assert.deepEqual(theirs.body, missing.body);
  }
  assert.deepEqual((await call("GET", "/v1/users", undefined, bolt)).body, { users: [] });
  assert.deepEqual((await call("GET", "/v1/conversations", undefined, bolt)).body, { conversations: [] });
  isError(await call("POST", "/v1/conversations/team/messages", hello, bolt), "not_found");
  isError(await call("DELETE", "/v1/conversations/team/members/bob", undefined, bolt), "not_found");
  isError(await call("PATCH", "/v1/conversations/team", { name: "x" }, bolt), "not_found");
  assert.equal((await call("GET", "/v1/conversations/team")).body.name, "Team");
});

test("without a known API key nothing is answered", async () => {
  const { call } = await httpWorld();
  for (const key of ["", "x", acmeKey.slice(1), `${acmeKey}x`, acmeKey.toUpperCase()]) {
    const refused = await call("GET", "/v1/users", undefined, { key });
    isError(refused, "unauthorized");
    assert.equal(refused.headers["www-authenticate"], "Bearer");
  }
  const basic = await call("GET", "/v1/users", undefined, {
    key: "",
    headers: { authorization: `Basic ${acmeKey}` },
  });
  isError(basic, "unauthorized");
});

test("every bad request is refused in one shape, and says what is wrong", async () => {
  const { call } = await httpWorld();
  const send = "/v1/conversations/alice:bob/messages";
  const bad: [method: string, url: string, body: unknown, message: RegExp][] = [
    ["GET", "/v1/users?limit=0", undefined, /^limit in the query must be at least 1$/],
    ["GET", "/v1/users?limit=1001", undefined, /^limit in the query must be at most 1000$/],
    ["GET", "/v1/users?limit=ten", undefined, /^limit in the query must be a whole number$/],
    ["GET", "/v1/users?limit=1&limit=2", undefined, /^limit in the query must be a whole number$/],
    ["GET", "/v1/users?limits=1", undefined, /^the query has no member "limits"$/],
    ["GET", "/v1/users/a%2Fb", undefined, /^user in the path must be an id/],
    ["GET", `/v1/users/${"x".repeat(65)}`, undefined, /^user in the path must be an id/],
    ["GET", "/v1/conversations/bob:alice", undefined, /ascending order/],
    ["GET", `${send}?after=-1`, undefined, /^after in the query must be a whole number$/],
    ["GET", "/v1/users/%zz", undefined, /valid url/],
    ["PUT", "/v1/users/alice", undefined, /^the body must be an object$/],
    ["PUT", "/v1/users/alice", { name: 5 }, /^name in the body must be a string$/],
    ["PUT", "/v1/users/alice", { name: "a\nb" }, /^name in the body must be a name/],
    ["PUT", "/v1/users/alice", { name: "x".repeat(129) }, /^name in the body must be a name/],
    ["PUT", "/v1/users/alice", { nick: "x" }, /no member "nick"/],
    ["POST", send, { ...hello, from: "a b" }, /^from in the body must be an id/],
    ["POST", send, { ...hello, clientMessageId: "" }, /client message id/],
    ["POST", send, { ...hello, clientMessageId: undefined }, /^the body must have "clientMessageId"$/],
    ["POST", send, { ...hello, messageType: "hongyan.added" }, /reserved/],
    ["POST", send, { ...hello, bodyBase64: "aGk=" }, /either body or bodyBase64/],
    ["POST", send, { ...hello, body: undefined }, /either body or bodyBase64/],
    ["POST", send, { ...hello, body: undefined, bodyBase64: "%%" }, /not base64/],
    ["POST", send, { ...hello, body: "\ud800" }, /well-formed/],
    ["POST", send, { ...hello, body: { a: 1 } }, /^body in the body must be a string$/],
    [
      "POST",
      "/v1/conversations",
      { members: [{ user: "a", role: "king" }] },
      /^members\[0\]\.role in the body must be one of owner, admin, member$/,
    ],
    ["POST", "/v1/conversations", { conversation: "a:b" }, /must be an id/],
    ["PATCH", "/v1/conversations/team", {}, /fewer than 1/],
    ["POST", "/v1/conversations/team/members", { members: [] }, /fewer than 1/],
  ];
  for (const [method, url, body, message] of bad) {
    const answer = await call(method, url, body);
    isError(answer, "bad_request");
    assert.match(answer.body.error.message, message, `${method} ${url}`);
  }
});

test("what the framework itself refuses has the same shape", async () => {
  const { call } = await httpWorld();
  isError(await call("GET", "/v1/nothing"), "not_found");
  isError(await call("POST", "/nothing", {}), "not_found");
  const json = { "content-type": "application/json" };
  isError(await call("PUT", "/v1/users/alice", "{", { headers: json }), "bad_request");
  isError(await call("PUT", "/v1/users/alice", "", { headers: json }), "bad_request");
  isError(await call("PUT", "/v1/users/alice", '{"__proto__": 1}', { headers: json }), "bad_request");
  const xml = await call("PUT", "/v1/users/alice", "<a/>", { headers: { "content-type": "text/xml" } });
  isError(xml, "bad_request", 415);
  assert.equal(xml.body.error.message, "the content type must be application/json");
  isError(await call("PUT", "/v1/users/alice", { name: "x".repeat(2_000_000) }), "too_large");
  isError(
    await call("POST", "/v1/conversations/alice:bob/messages", { ...hello, body: "x".repeat(101) }),
    "too_large",
  );
  isError(
    await call("POST", "/v1/conversations/alice:bob/messages", { ...hello, body: "é".repeat(51) }),
    "too_large",
  );
  assert.equal(
    (await call("POST", "/v1/conversations/alice:bob/messages", { ...hello, body: "é".repeat(50) })).status,
    201,
  );
});

test("a path that exists refuses other methods and says which it knows", async () => {
  const { call } = await httpWorld();
  const refused = await call("DELETE", "/v1/conversations/team");
  isError(refused, "unknown_command", 405);
  assert.equal(refused.headers.allow, "GET, HEAD, PATCH");
  isError(await call("POST", "/v1/users", {}), "unknown_command", 405);
  isError(await call("PUT", "/v1/conversations/a:b/messages", {}), "unknown_command", 405);
});

test("a refusal of the core keeps its code and its time to come back", async () => {
  const throwing = (error: Error) => new Proxy({}, { get: () => () => Promise.reject(error) }) as Backend;
  const busy = await httpWorld(throwing(new ProtocolError("overloaded", "too much waits", 1500)));
  const refused = await busy.call("POST", "/v1/conversations/alice:bob/messages", hello);
  isError(refused, "overloaded");
  assert.equal(refused.body.error.retryAfterMs, 1500);
  assert.equal(refused.headers["retry-after"], "2");
});

test("a fault is logged and tells the caller nothing", async () => {
  const broken = new Proxy(
    {},
    { get: () => () => Promise.reject(new Error("disk /secret/path")) },
  ) as Backend;
  const { call, log } = await httpWorld(broken);
  const refused = await call("GET", "/v1/users/alice");
  isError(refused, "internal");
  assert.doesNotMatch(refused.body.error.message, /secret/);
  assert.ok(log.some((line) => line.startsWith("api.failed")));
});

test("calls are logged with the name of their key, never with the key", async () => {
  const { call, log } = await httpWorld();
  await call("GET", "/v1/users/alice");
  assert.match(
    log.join("\n"),
    /api\.request .*"route":"\/v1\/users\/:user","status":404.*"domain":"acme","apiKey":"backend"/,
  );
  assert.ok(!log.join("\n").includes(acmeKey));
});

test("the OpenAPI document describes every path with its refusals", async () => {
  const { call } = await httpWorld();
  const { status, body } = await call("GET", "/v1/openapi.json", undefined, { key: "" });
  assert.equal(status, 200);
  assert.equal(body.openapi, "3.1.0");
  const operations = Object.entries(body.paths).flatMap(([path, item]) =>
    Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(operations.sort(), [
    "DELETE /v1/conversations/{conversation}/members/{user}",
    "DELETE /v1/users/{user}",
    "GET /v1/conversations",
    "GET /v1/conversations/{conversation}",
    "GET /v1/conversations/{conversation}/members",
    "GET /v1/conversations/{conversation}/messages",
    "GET /v1/online",
    "GET /v1/users",
    "GET /v1/users/{user}",
    "GET /v1/users/{user}/conversations",
    "PATCH /v1/conversations/{conversation}",
    "POST /v1/conversations",
    "POST /v1/conversations/{conversation}/members",
    "POST /v1/conversations/{conversation}/messages",
    "POST /v1/users/{user}/kick",
    "POST /v1/users/{user}/tokens",
    "PUT /v1/users/{user}",
  ]);
  assert.ok(
    body.paths["/v1/users/{user}"].get.responses["4XX"],
    JSON.stringify(body.paths["/v1/users/{user}"].get.responses),
  );
});

test("answers of the API are never cached, and every answer carries the security headers", async () => {
  const { call } = await httpWorld();
  for (const answer of [
    await call("GET", "/v1/users"),
    await call("GET", "/v1/users", undefined, { key: "" }),
    await call("GET", "/nope"),
  ]) {
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
    assert.equal(answer.headers["x-frame-options"], "DENY");
    assert.match(String(answer.headers["content-security-policy"]), /default-src 'none'; script-src 'self'/);
  }
});

test("ids that the protocol allows pass the door, even at full length", async () => {
  const { call } = await httpWorld();
  const long = "Z.@+=-_9".repeat(8);
  assert.ok(isId(long) && isConversationId(`${long}:z`));
  const answer = await call("PUT", `/v1/users/${encodeURIComponent(long)}`, { name: "n" });
  assert.equal(answer.body.user, long);
  const url = `/v1/conversations/${encodeURIComponent(`${long}:${"z".repeat(64)}`)}/messages`;
  assert.equal((await call("POST", url, { ...hello, from: long })).status, 201);
});
