/**
 * Tokens of users: JWT, HS256 and nothing else, made by the customer's backend (or by this server on its behalf).
 * Header `kid` names the key; claims: `sub` the user, `domain`, `exp` (required), and `iat`, `nbf` if wanted.
 */
import type { Authenticator, Identity } from "@hongyan/core";
import { isId, limits, ProtocolError } from "@hongyan/protocol";
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { KeyRing } from "./key-ring.ts";

const algorithm = "HS256";
/** Clocks of two machines differ; a token is not refused for so little. */
const clockToleranceSeconds = 5;

/**
 * The same words for an unknown key and a false signature, after the same work: neither an answer nor its time tells
 * which key ids exist (G10).
 */
const untrusted = "The token is not signed with a key that this server trusts.";

export interface TokenRules {
  readonly keyRing: KeyRing;
  /** A token that ends later than this from now is refused: a leaked one must not work for ever. */
  readonly lifetimeMsMax: number;
  /** Milliseconds since 1970. */
  now(): number;
}

export function tokenAuthenticator(rules: TokenRules): Authenticator {
  return { verify: (token) => verifyToken(token, rules) };
}

async function verifyToken(token: string, rules: TokenRules): Promise<Identity> {
  if (token.length > limits.tokenLengthMax) throw new ProtocolError("unauthorized", "The token is too long.");
  const now = rules.now();
  let domain: string | undefined;
  let claims: JWTPayload;
  try {
    const verified = await jwtVerify(
      token,
      ({ kid }) => {
        const found = typeof kid === "string" ? rules.keyRing.byId.get(kid) : undefined;
        domain = found?.domain;
        return found?.key ?? rules.keyRing.nobodys;
      },
      {
        algorithms: [algorithm],
        requiredClaims: ["sub", "exp", "domain"],
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(now),
      },
    );
    claims = verified.payload;
  } catch (error) {
    throw refusal(error);
  }
  return identityOf(claims, domain, now + rules.lifetimeMsMax + clockToleranceSeconds * 1000);
}

function identityOf(claims: JWTPayload, keyDomain: string | undefined, expiresAtMax: number): Identity {
  const { sub: user, domain, exp = 0 } = claims;
  if (typeof user !== "string" || !isId(user))
    throw new ProtocolError("unauthorized", "The token's sub is not a user id.");
  if (domain !== keyDomain || keyDomain === undefined) {
    throw new ProtocolError("unauthorized", "The token's domain is not the domain of its key.");
  }
  const expiresAt = exp * 1000;
  if (!(expiresAt <= expiresAtMax))
    throw new ProtocolError("unauthorized", "The token is valid for longer than this server allows.");
  return { domain: keyDomain, user, expiresAt };
}

function refusal(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof errors.JWTExpired) return new ProtocolError("token_expired");
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "nbf") return new ProtocolError("unauthorized", "The token is not valid yet.");
    return new ProtocolError("unauthorized", `The token has no valid claim ${error.claim}.`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new ProtocolError("unauthorized", `The token must be signed with ${algorithm}.`);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return new ProtocolError("unauthorized", untrusted);
  if (error instanceof errors.JOSEError)
    return new ProtocolError("unauthorized", "The token is not a signed JWT.");
  return new ProtocolError("internal");
}

export interface NewToken {
  readonly domain: string;
  readonly user: string;
  readonly lifetimeMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Token {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Signs a token with the domain's first key. Rejects with `ProtocolError` `bad_request` or `not_found`. */
export async function mintToken(
  keyRing: KeyRing,
  { domain, user, lifetimeMs, now }: NewToken,
): Promise<Token> {
  if (!isId(user)) throw new ProtocolError("bad_request", "The user is not an id.");
  const signing = keyRing.signing.get(domain);
  if (signing === undefined) throw new ProtocolError("not_found", "No key is configured for the domain.");
  const issuedAt = Math.floor(now / 1000);
  const expires = issuedAt + Math.max(1, Math.floor(lifetimeMs / 1000));
  const token = await new SignJWT({ domain })
    .setProtectedHeader({ alg: algorithm, kid: signing.keyId })
    .setSubject(user)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expires)
    .sign(signing.key);
  return { token, expiresAt: expires * 1000 };
}
