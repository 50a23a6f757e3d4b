import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { type ErrorName, ProtocolError } from "@hongyan/protocol";
import { openKeyRing } from "../src/auth/key-ring.ts";
import { mintToken, tokenAuthenticator } from "../src/auth/tokens.ts";

const now = Date.UTC(2026, 10, 21);
const seconds = now / 1000;
const day = 86_400;
const secrets = { a1: "a".repeat(40), a2: "A".repeat(40), b1: "b".repeat(40) };
const keyRing = await openKeyRing({
  acme: { keys: { a1: secrets.a1, a2: secrets.a2 }, apiKeys: {} },
  bolt: { keys: { b1: secrets.b1 }, apiKeys: {} },
});
const authenticator = tokenAuthenticator({ keyRing, lifetimeMsMax: 7 * day * 1000, now: () => now });

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signs by hand, as a backend in any language would. */
function signed(
  claims: object,
  { kid = "a1", secret = secrets.a1, header = {} }: { kid?: string; secret?: string; header?: object } = {},
) {
  const content = `${base64url({ alg: "HS256", typ: "JWT", kid, ...header })}.${base64url(claims)}`;
  return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`;
}

const good = { sub: "alice", domain: "acme", exp: seconds + 3600 };

async function refused(token: string, code: ErrorName, message: RegExp): Promise<void> {
  await assert.rejects(authenticator.verify(token), (error) => {
    assert.ok(error instanceof ProtocolError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

test("a token that a backend has signed by hand speaks for its user until it ends", async () => {
  const identity = await authenticator.verify(signed({ ...good, iat: seconds, nbf: seconds }));
  assert.deepEqual(identity, { domain: "acme", user: "alice", expiresAt: (seconds + 3600) * 1000 });
});

test("a domain may have several keys, so that they can be changed", async () => {
  const identity = await authenticator.verify(signed(good, { kid: "a2", secret: secrets.a2 }));
  assert.equal(identity.domain, "acme");
});

test("a minted token is signed with the first key and verifies", async () => {
  const { token, expiresAt } = await mintToken(keyRing, {
    domain: "acme",
    user: "bob",
    lifetimeMs: 60_000,
    now,
  });
  assert.equal(JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid, "a1");
  assert.deepEqual(await authenticator.verify(token), { domain: "acme", user: "bob", expiresAt });
  await assert.rejects(mintToken(keyRing, { domain: "nope", user: "bob", lifetimeMs: 1, now }), {
    code: "not_found",
  });
  await assert.rejects(mintToken(keyRing, { domain: "acme", user: "b/b", lifetimeMs: 1, now }), {
    code: "bad_request",
  });
});

test("an expired token says so, that the client gets a new one", async () => {
  await refused(signed({ ...good, exp: seconds - 60 }), "token_expired", /over/);
});

test("a small difference of clocks is forgiven, a larger is not", async () => {
  await authenticator.verify(signed({ ...good, exp: seconds - 2, nbf: seconds - 10 }));
  await authenticator.verify(signed({ ...good, nbf: seconds + 2 }));
  await refused(signed({ ...good, nbf: seconds + 60 }), "unauthorized", /not valid yet/);
});

test("a token without an end, or with one too far away, is refused", async () => {
  await refused(signed({ sub: "alice", domain: "acme" }), "unauthorized", /claim exp/);
  await refused(
    signed({ ...good, exp: seconds + 8 * day }),
    "unauthorized",
    /longer than this server allows/,
  );
  await refused(signed({ ...good, exp: 1e300 }), "unauthorized", /longer|claim exp/);
  await refused(signed({ ...good, exp: "tomorrow" }), "unauthorized", /claim exp/);
});

test("a forged signature and an unknown key are refused in the same words", async () => {
  const words = /not signed with a key that this server trusts/;
  await refused(signed(good, { secret: "x".repeat(40) }), "unauthorized", words);
  await refused(signed(good, { kid: "nope" }), "unauthorized", words);
  await refused(signed(good, { kid: "a2" }), "unauthorized", words);
  await refused(signed(good, { header: { kid: undefined } }), "unauthorized", words);
  await refused(signed(good, { header: { kid: 1 } }), "unauthorized", words);
  const [head, , signature] = signed(good).split(".");
  await refused(`${head}.${base64url({ ...good, sub: "root" })}.${signature}`, "unauthorized", words);
});

test("G10 the token of an unknown key is worked on like one of a known key, and refused in the same words", async (t) => {
  const verify = t.mock.method(crypto.subtle, "verify");
  const answer = async (token: string) => {
    verify.mock.resetCalls();
    const refusal = await authenticator.verify(token).catch((error: ProtocolError) => error);
    assert.ok(refusal instanceof ProtocolError);
    return { code: refusal.code, message: refusal.message, signaturesVerified: verify.mock.callCount() };
  };
  for (const claims of [good, { ...good, domain: "bolt" }, { ...good, exp: seconds - 60 }, {}]) {
    const known = await answer(signed(claims, { secret: "x".repeat(40) }));
    assert.equal(known.signaturesVerified, 1);
    assert.deepEqual(await answer(signed(claims, { kid: "nope" })), known);
    assert.deepEqual(await answer(signed(claims, { header: { kid: undefined } })), known);
  }
});

test("no other algorithm is accepted, least of all none", async () => {
  const none = `${base64url({ alg: "none", kid: "a1" })}.${base64url(good)}.`;
  await refused(none, "unauthorized", /HS256/);
  for (const alg of ["HS512", "RS256", "ES256", "NONE", ""]) {
    await refused(signed(good, { header: { alg } }), "unauthorized", /HS256|not a signed JWT/);
  }
});

test("G10 a key of one domain cannot make a token of another", async () => {
  await refused(signed(good, { kid: "b1", secret: secrets.b1 }), "unauthorized", /not the domain of its key/);
  await refused(signed({ ...good, domain: undefined }), "unauthorized", /claim domain/);
  await refused(signed({ ...good, domain: ["acme"] }), "unauthorized", /not the domain of its key/);
});

test("a user that is not an id is refused", async () => {
  for (const sub of ["", "a/b", "a:b", "x".repeat(65), 5, null, "\u0000"]) {
    await refused(signed({ ...good, sub }), "unauthorized", /sub/);
  }
});

test("what is no token at all is refused without a fault", async () => {
  for (const text of ["", ".", "..", "a.b.c", "null", "\u0000", "💥", `${"a".repeat(4000)}.b.c`]) {
    await refused(text, "unauthorized", /not a signed JWT|HS256/);
  }
  await refused("a".repeat(5000), "unauthorized", /too long/);
});
