/**
 * The kinds of value that a configuration key can have: how each reads from text (environment, flags) and from
 * JSON (file, options of `createServer`), and how its type and limits read in the documentation.
 */
import { isId } from "@hongyan/protocol";
import { type Domains, domainsFromJson } from "./domains.ts";
import { InvalidValue } from "./invalid-value.ts";

export interface Kind<T> {
  readonly type: string;
  /** The bounds, for people; "" where there are none. */
  readonly limits: string;
  /** Throws `InvalidValue`. */
  fromText(text: string): T;
  /** Throws `InvalidValue`. */
  fromJson(value: unknown): T;
}

export function integer(min: number, max: number, unit = ""): Kind<number> {
  const limits = `${min} to ${max}${unit === "" ? "" : ` ${unit}`}`;
  const check = (value: number) => {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new InvalidValue(`must be a whole number from ${limits}`);
    }
    return value;
  };
  return {
    type: "integer",
    limits,
    fromText: (text) => check(/^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN),
    fromJson: (value) => check(typeof value === "number" ? value : Number.NaN),
  };
}

export const milliseconds = (min: number, max: number) => integer(min, max, "ms");
export const bytes = (min: number, max: number) => integer(min, max, "bytes");
export const port = integer(0, 65_535);

/** A port, or `off` where nothing listens. */
export const portOrOff: Kind<number | "off"> = {
  type: "integer or off",
  limits: `${port.limits}, or off`,
  fromText: (text) => (text === "off" ? text : port.fromText(text)),
  fromJson: (value) => (value === "off" ? value : port.fromJson(value)),
};

export const boolean: Kind<boolean> = {
  type: "boolean",
  limits: "",
  fromText(text) {
    if (text === "true" || text === "1") return true;
    if (text === "false" || text === "0") return false;
    throw new InvalidValue("must be true or false");
  },
  fromJson(value) {
    if (typeof value !== "boolean") throw new InvalidValue("must be true or false");
    return value;
  },
};

export function text(lengthMin: number, lengthMax: number): Kind<string> {
  const limits =
    lengthMin === 0 ? `up to ${lengthMax} characters` : `${lengthMin} to ${lengthMax} characters`;
  const check = (value: unknown) => {
    if (typeof value !== "string" || value.length < lengthMin || value.length > lengthMax) {
      throw new InvalidValue(`must be text of ${limits}`);
    }
    return value;
  };
  return { type: "text", limits, fromText: check, fromJson: check };
}

export const id: Kind<string> = {
  type: "id",
  limits: "1 to 64 of A-Z a-z 0-9 _ . @ + = -",
  fromText: checkId,
  fromJson: checkId,
};

function checkId(value: unknown): string {
  if (typeof value !== "string" || !isId(value)) throw new InvalidValue(`must be an id: ${id.limits}`);
  return value;
}

export function choice<const T extends string>(...options: readonly T[]): Kind<T> {
  const limits = options.join(", ");
  const check = (value: unknown) => {
    const found = options.find((option) => option === value);
    if (found === undefined) throw new InvalidValue(`must be one of ${limits}`);
    return found;
  };
  return { type: "choice", limits, fromText: check, fromJson: check };
}

/** Origins of web pages and apps (`https://chat.example.com`), or `*` for any. As text: separated by commas. */
export const origins: Kind<readonly string[]> = {
  type: "list of origins",
  limits: "scheme://host[:port], null, or *",
  fromText: (value) => checkOrigins(parts(value)),
  fromJson: checkOrigins,
};

function parts(value: string): string[] {
  return value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** As browsers write it: no path, no capitals. Apps have schemes of their own, files on disk the origin `null`. */
const originPattern = /^(\*|null|[a-z][a-z0-9+.-]*:\/\/[^/?#\sA-Z]+)$/;

function checkOrigins(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw new InvalidValue("must be a list of origins");
  for (const one of value) {
    if (typeof one !== "string" || !originPattern.test(one)) {
      throw new InvalidValue("must be origins like https://chat.example.com");
    }
  }
  return value;
}

const addressesMax = 64;

/** Addresses of servers (`nats://10.0.0.1:4222`). As text: separated by commas. */
export const addresses: Kind<readonly string[]> = {
  type: "list of addresses",
  limits: `scheme://host[:port], up to ${addressesMax}`,
  fromText: (value) => checkAddresses(parts(value)),
  fromJson: checkAddresses,
};

function checkAddresses(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length > addressesMax)
    throw new InvalidValue(`must be a list of up to ${addressesMax} addresses`);
  for (const one of value) {
    // What it is, is not repeated: somebody may have put a password into it.
    if (typeof one !== "string" || one.length > 2048 || URL.parse(one)?.hostname === undefined)
      throw new InvalidValue("must be addresses like nats://10.0.0.1:4222");
  }
  return value;
}

/** Where a server can be reached over HTTP. Empty: nowhere. */
export const httpAddress: Kind<string> = {
  type: "address",
  limits: "http://host[:port]",
  fromText: checkHttpAddress,
  fromJson: checkHttpAddress,
};

function checkHttpAddress(value: unknown): string {
  if (value === "") return "";
  const url = typeof value === "string" && value.length <= 300 ? URL.parse(value) : null;
  const isWhole = url !== null && url.href === `http://${url.host}/` && url.hostname !== "";
  if (!isWhole) throw new InvalidValue("must be an address like http://10.0.0.5:8080");
  if (["0.0.0.0", "[::]"].includes(url.hostname))
    throw new InvalidValue("must be an address that other nodes can reach, not one to listen on");
  return url.origin;
}

const serversMax = 15;
const serverName = /^[a-z][a-z0-9-]{0,30}$/;

/** Names of PostgreSQL servers with their addresses. As text: the same JSON as in the file. */
export const servers: Kind<Readonly<Record<string, string>>> = {
  type: "object",
  limits: `up to ${serversMax}; names of a-z, 0-9 and -`,
  fromText: (value) => checkServers(fromJsonText(value)),
  fromJson: checkServers,
};

function checkServers(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InvalidValue("must be an object of names and addresses");
  const entries = Object.entries(value);
  if (entries.length > serversMax) throw new InvalidValue(`must have up to ${serversMax} servers`);
  for (const [name, url] of entries) {
    if (!serverName.test(name) || name === "home")
      throw new InvalidValue(
        `has a server ${JSON.stringify(name.slice(0, 40))}: a name is up to 31 of a-z, 0-9 and -, begins with a letter, and is not "home", which is postgres.url`,
      );
    if (typeof url !== "string" || url.length > 2048 || !/^postgres(ql)?:\/\//.test(url))
      throw new InvalidValue(`needs an address like postgres://user:password@host:5432/database at ${name}`);
  }
  return Object.fromEntries(entries);
}

/** Tenants with their secrets. As text: the same JSON as in the file. */
export const domains: Kind<Domains> = {
  type: "object",
  limits: "ids; secrets of 32 to 512 characters",
  fromText: (value) => domainsFromJson(fromJsonText(value)),
  fromJson: domainsFromJson,
};

function fromJsonText(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    // The reason that the parser gives quotes the text, which holds secrets.
    throw new InvalidValue("must be JSON");
  }
}
