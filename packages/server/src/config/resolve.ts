/** From what was said in four places to one valid configuration: flags > environment > file > defaults. */
import { InvalidValue } from "./invalid-value.ts";
import { suggestion } from "./nearest.ts";
import { type Config, type ConfigInput, contradictions, type NamedKey, namedKeys } from "./schema.ts";
import { shortened } from "./shortened.ts";

/** Everything that is wrong with a configuration, one line per problem; secrets are not quoted. */
export class ConfigurationError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigurationError";
    this.problems = problems;
  }
}

export interface Sources {
  /** What the caller of `createServer` passed. */
  readonly options?: ConfigInput | undefined;
  /** The parsed JSON file. */
  readonly file?: { readonly path: string; readonly json: unknown } | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Flag (without dashes) → its text. */
  readonly flags?: ReadonlyMap<string, string> | undefined;
}

export interface Resolved {
  readonly config: Config;
  /** Path of a key → where its value comes from: `--port`, `HONGYAN_PORT`, a file, or `default`. */
  readonly origins: ReadonlyMap<string, string>;
}

interface Found {
  readonly value: unknown;
  readonly isText: boolean;
  readonly origin: string;
}

/** Variables with the product's prefix that are not keys: where the file is, and what only tests read. */
const otherVariables = /^HONGYAN_(CONFIG$|TEST_)/;

/** Throws `ConfigurationError` with all problems at once. */
export function resolveConfig(sources: Sources): Resolved {
  const problems: string[] = [];
  const layers = [
    fromFlags(sources.flags ?? new Map(), problems),
    fromEnvironment(sources.environment ?? {}, problems),
    fromTree(sources.file?.json, `file ${sources.file?.path}`, problems),
    fromTree(sources.options, "options", problems),
  ];
  const values = new Map<string, unknown>();
  const origins = new Map<string, string>();
  for (const key of namedKeys) {
    const found = layers.map((layer) => layer.get(key.path)).find((one) => one !== undefined);
    values.set(key.path, found === undefined ? key.default : read(key, found, problems));
    origins.set(key.path, found?.origin ?? "default");
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  const config = toTree(values);
  for (const { path, message } of contradictions(config)) {
    problems.push(`${path} (from ${origins.get(path)}) ${message}`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { config, origins };
}

function read(key: NamedKey, found: Found, problems: string[]): unknown {
  try {
    return found.isText ? key.kind.fromText(String(found.value)) : key.kind.fromJson(found.value);
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    const shown = key.secret ? "" : `, not ${shortened(JSON.stringify(found.value) ?? "nothing")}`;
    problems.push(`${key.path} (from ${found.origin}) ${error.message}${shown}`);
    return key.default;
  }
}

function fromFlags(flags: ReadonlyMap<string, string>, problems: string[]): Map<string, Found> {
  const found = new Map<string, Found>();
  for (const [flag, value] of flags) {
    const key = namedKeys.find((one) => one.flag === flag);
    if (key === undefined) problems.push(`--${shortened(flag)} is not a flag.${suggestion(flag, flagNames)}`);
    else found.set(key.path, { value, isText: true, origin: `--${flag}` });
  }
  return found;
}

const flagNames = namedKeys.flatMap((key) => (key.flag === undefined ? [] : [key.flag]));

/** A misspelt variable that were ignored would leave a limit unset: it is refused. */
function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Map<string, Found> {
  const found = new Map<string, Found>();
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith("HONGYAN_") || otherVariables.test(name)) continue;
    const key = namedKeys.find((one) => one.environment === name);
    if (key === undefined) {
      const names = namedKeys.map((one) => one.environment);
      problems.push(`${shortened(name)} (from the environment) is not a setting.${suggestion(name, names)}`);
    } else if (value !== undefined && value !== "") {
      found.set(key.path, { value, isText: true, origin: name });
    }
  }
  return found;
}

function fromTree(json: unknown, origin: string, problems: string[]): Map<string, Found> {
  const found = new Map<string, Found>();
  if (json === undefined) return found;
  if (!isObject(json)) {
    problems.push(`the ${origin} must be an object of settings`);
    return found;
  }
  collect(json, "", origin, found, problems);
  return found;
}

function collect(
  tree: object,
  prefix: string,
  origin: string,
  found: Map<string, Found>,
  problems: string[],
): void {
  for (const [name, value] of Object.entries(tree)) {
    const path = prefix + name;
    if (value === undefined || path === "$schema") continue;
    if (namedKeys.some((key) => key.path === path)) {
      found.set(path, { value, isText: false, origin });
    } else if (!namedKeys.some((key) => key.path.startsWith(`${path}.`))) {
      const names = namedKeys.map((key) => key.path);
      problems.push(`${shortened(path)} (from ${origin}) is not a setting.${suggestion(path, names)}`);
    } else if (isObject(value)) {
      collect(value, `${path}.`, origin, found, problems);
    } else {
      problems.push(`${path} (from ${origin}) must be an object`);
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Paths with dots → nested objects. */
function toTree(values: ReadonlyMap<string, unknown>): Config {
  const tree: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const names = path.split(".");
    const last = names.pop() as string;
    let at = tree;
    for (const name of names) {
      at[name] ??= {};
      at = at[name] as Record<string, unknown>;
    }
    at[last] = value;
  }
  // The schema has the same shape: every path of it was set, with a value that its kind has checked.
  return tree as Config;
}
