import { createHmac } from "node:crypto";

/** What a customer's backend has: it signs tokens that the server trusts. */
export interface Signer {
  readonly domain: string;
  readonly keyId: string;
  readonly secret: string;
}

/** An HS256 JWT for one user, valid for a day. Made by hand: 15,000 of them take 0.1 s. */
export function mintToken(signer: Signer, user: string): string {
  const header = base64url({ alg: "HS256", typ: "JWT", kid: signer.keyId });
  const payload = base64url({
    sub: user,
    domain: signer.domain,
    exp: Math.floor(Date.now() / 1000) + 86_400,
  });
  const signature = createHmac("sha256", signer.secret).update(`${header}.${payload}`).digest("base64url");
  return `${header}.${payload}.${signature}`;
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
