/** The tenants of a server and the secrets that speak for them. */
import { isId } from "@hongyan/protocol";
import { InvalidValue } from "./invalid-value.ts";

export interface DomainSecrets {
  /**
   * Key id → secret. A token names its key by `kid`, so that a new key can be added before the old one goes. The
   * first one signs the tokens that this server itself makes.
   */
  readonly keys: Readonly<Record<string, string>>;
  /** Name → API key of a backend. The name stands in the log, the key nowhere. */
  readonly apiKeys: Readonly<Record<string, string>>;
}

export type Domains = Readonly<Record<string, DomainSecrets>>;

/** An HS256 secret shorter than its hash is the weak link (RFC 7518 §3.2: 256 bits at least). */
export const secretLengthMin = 32;
const secretLengthMax = 512;

/**
 * Reads and checks the tenants. Names and secrets are unique across all of them: a key that two domains share
 * would be a door in the wall between them (G10). Throws `InvalidValue`, never quoting a secret.
 */
export function domainsFromJson(json: unknown): Domains {
  const taken: Taken = { keyIds: new Map(), secrets: new Map() };
  const entries = entriesOf(json, "").map(([domain, value]) => {
    if (!isId(domain)) throw new InvalidValue(`has a domain ${JSON.stringify(domain)} that is not an id`);
    return [domain, domainFromJson(domain, value, taken)] as const;
  });
  return Object.fromEntries(entries);
}

interface Taken {
  readonly keyIds: Map<string, string>;
  readonly secrets: Map<string, string>;
}

function domainFromJson(domain: string, json: unknown, taken: Taken): DomainSecrets {
  const parts = new Map(entriesOf(json, domain));
  for (const name of parts.keys()) {
    if (name !== "keys" && name !== "apiKeys") {
      throw new InvalidValue(`has ${domain}.${name}, which is unknown: a domain has "keys" and "apiKeys"`);
    }
  }
  const keys = secretsFromJson(`${domain}.keys`, parts.get("keys") ?? {}, taken);
  if (Object.keys(keys).length === 0) throw new InvalidValue(`needs at least one key in ${domain}.keys`);
  for (const keyId of Object.keys(keys)) {
    const other = taken.keyIds.get(keyId);
    if (other !== undefined)
      throw new InvalidValue(`has the key id ${keyId} in two domains, ${other} and ${domain}`);
    taken.keyIds.set(keyId, domain);
  }
  return { keys, apiKeys: secretsFromJson(`${domain}.apiKeys`, parts.get("apiKeys") ?? {}, taken) };
}

function secretsFromJson(path: string, json: unknown, taken: Taken): Readonly<Record<string, string>> {
  const entries = entriesOf(json, path).map(([name, secret]) => {
    const place = `${path}.${name}`;
    // A name of digits alone would lose its place: JavaScript moves such members to the front.
    if (!isId(name) || !/^[A-Za-z]/.test(name))
      throw new InvalidValue(`has ${place}, whose name is not an id that begins with a letter`);
    if (typeof secret !== "string" || secret.length < secretLengthMin || secret.length > secretLengthMax) {
      throw new InvalidValue(
        `needs a secret of ${secretLengthMin} to ${secretLengthMax} characters at ${place}`,
      );
    }
    if (!/^[\x21-\x7e]+$/.test(secret))
      throw new InvalidValue(`needs a secret of visible ASCII characters at ${place}`);
    const other = taken.secrets.get(secret);
    if (other !== undefined) throw new InvalidValue(`uses one secret twice, at ${other} and ${place}`);
    taken.secrets.set(secret, place);
    return [name, secret] as const;
  });
  return Object.fromEntries(entries);
}

function entriesOf(json: unknown, path: string): [string, unknown][] {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new InvalidValue(path === "" ? "must be an object" : `needs an object at ${path}`);
  }
  return Object.entries(json);
}
