/** API keys of backends: who may call the HTTP API, and for which domain. */
import { createHash, timingSafeEqual } from "node:crypto";
import { ProtocolError } from "@hongyan/protocol";
import type { Domains } from "../config/domains.ts";

export interface Caller {
  readonly domain: string;
  /** Name of the API key, for the log. */
  readonly apiKey: string;
}

export interface ApiKeys {
  /** Reads an `Authorization` header. Throws `ProtocolError` `unauthorized`. */
  identify(authorization: string | undefined): Caller;
}

export function apiKeysOf(domains: Domains): ApiKeys {
  const known = Object.entries(domains).flatMap(([domain, { apiKeys }]) =>
    Object.entries(apiKeys).map(([apiKey, secret]) => ({ caller: { domain, apiKey }, hash: sha256(secret) })),
  );
  return {
    identify(authorization) {
      const presented = bearerOf(authorization);
      if (presented === undefined) {
        throw new ProtocolError("unauthorized", "Send an API key: Authorization: Bearer <key>.");
      }
      // Hashes of equal length, compared in constant time, and every key is: timing tells nothing about any of them.
      const hash = sha256(presented);
      let found: Caller | undefined;
      for (const one of known) if (timingSafeEqual(one.hash, hash)) found = one.caller;
      if (found === undefined) throw new ProtocolError("unauthorized", "The API key is not known here.");
      return found;
    },
  };
}

/** The credentials of `Authorization: Bearer …`, undefined for any other header. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^bearer +([^\s]+) *$/i.exec(authorization ?? "")?.[1];
}

/** True where both texts are equal; takes the same time for any two. */
export function equalSecrets(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
