/** Reads a command line. Every setting that is not a secret has a flag. */
import { parseArgs } from "node:util";
import { readConfigFile } from "../config/file.ts";
import { boolean } from "../config/kinds.ts";
import { suggestion } from "../config/nearest.ts";
import { type Resolved, resolveConfig } from "../config/resolve.ts";
import { namedKeys } from "../config/schema.ts";
import { quoted, shortened } from "../config/shortened.ts";

/** The command line is wrong: exit 2. */
export class UsageError extends Error {}

export interface Option {
  readonly type: "string" | "boolean";
  /** What the help calls the value, where there is one. */
  readonly value?: string;
  readonly meaning: string;
}

export interface Arguments {
  /** Flags of settings, as text. */
  readonly settings: ReadonlyMap<string, string>;
  readonly configFile: string | undefined;
  /** Flags of the command itself; a boolean is there where it is true. */
  readonly options: ReadonlyMap<string, string>;
  /** What is no flag and belongs to none. */
  readonly words: readonly string[];
}

const settingFlags = new Map(
  namedKeys.flatMap((key) =>
    key.flag === undefined ? [] : [[key.flag, key.kind.type === "boolean" ? "boolean" : "string"] as const],
  ),
);

/** By the flag that they would have. */
const secretSettings = new Map(
  namedKeys.flatMap((key) =>
    key.secret
      ? [[key.environment.slice("HONGYAN_".length).toLowerCase().replaceAll("_", "-"), key] as const]
      : [],
  ),
);

/** Throws `UsageError`. `own` are the options of the command beside the settings; `wordsMax`: how many words it takes. */
export function readArguments(
  args: readonly string[],
  own: Readonly<Record<string, Option>>,
  wordsMax = 0,
): Arguments {
  const types = new Map<string, "string" | "boolean">(settingFlags);
  types.set("config", "string");
  for (const [name, { type }] of Object.entries(own)) types.set(name, type);
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries([...types].map(([name, type]) => [name, { type }])),
    strict: false,
    tokens: true,
    allowNegative: true,
  });
  const flags = new Map<string, string>();
  const words: string[] = [];
  /** The flag before, where it takes its value with = or not at all. */
  let standsAlone: string | undefined;
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (words.push(token.value) > wordsMax) throw unexpected(token.value, standsAlone);
      standsAlone = undefined;
      continue;
    }
    if (token.kind !== "option") continue;
    const [name, value] = readFlag(token, types);
    if (flags.has(name)) throw new UsageError(`--${name} is given twice`);
    flags.set(name, value);
    standsAlone = types.get(name) === "boolean" && token.value === undefined ? name : undefined;
  }
  const settings = new Map([...flags].filter(([name]) => settingFlags.has(name)));
  const options = new Map(
    [...flags].filter(
      ([name, value]) =>
        own[name]?.type === "string" || (own[name]?.type === "boolean" && isTrue(name, value)),
    ),
  );
  return { settings, configFile: flags.get("config"), options, words };
}

function unexpected(word: string, standsAlone: string | undefined): UsageError {
  const hint =
    standsAlone === undefined ? "" : `: --${standsAlone} stands alone, or takes true or false with =`;
  return new UsageError(`unexpected argument ${quoted(word)}${hint}`);
}

/** Of the command's own; those of settings are read with them. */
function isTrue(name: string, value: string): boolean {
  try {
    return boolean.fromText(value);
  } catch {
    throw new UsageError(`--${name} must be true or false, not ${quoted(value)}`);
  }
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function readFlag(
  token: OptionToken,
  types: ReadonlyMap<string, "string" | "boolean">,
): [name: string, value: string] {
  const { rawName, value, inlineValue } = token;
  const isLong = rawName.startsWith("--");
  const written = isLong ? rawName.slice(2) : rawName;
  const negated = written.startsWith("no-") && types.get(written.slice(3)) === "boolean";
  const name = negated ? written.slice(3) : written;
  const type = isLong ? types.get(name) : undefined;
  if (type === undefined) {
    const secret = isLong ? secretSettings.get(name) : undefined;
    if (secret !== undefined)
      throw new UsageError(
        `--${name} is no flag, as others can read command lines: put ${secret.path} into the file of --config, or set ${secret.environment}`,
      );
    throw new UsageError(
      `unknown flag ${shortened(rawName)}.${suggestion(written, [...types.keys()]).replace("mean ", "mean --")}`,
    );
  }
  if (type === "boolean") {
    if (negated && value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return [name, value ?? String(!negated)];
  }
  if (value === undefined) throw new UsageError(`${rawName} needs a value`);
  if (value === "") throw new UsageError(`${rawName} needs a value that is not empty`);
  if (!inlineValue && looksLikeFlag(value)) {
    throw new UsageError(
      `${rawName} needs a value, and ${shortened(value)} looks like a flag; if it is meant: ${rawName}=${shortened(value)}`,
    );
  }
  return [name, value];
}

/** `-5m` does not: it is a number that somebody got wrong, which the setting itself says better. */
function looksLikeFlag(value: string): boolean {
  return /^-(?!\d)/.test(value);
}

/** Flags > environment > file > defaults. Throws `ConfigurationError`. */
export function configOf(read: Arguments): Resolved {
  const path = configFileOf(read);
  const file = path === undefined ? undefined : readConfigFile(path);
  return resolveConfig({ flags: read.settings, environment: process.env, file });
}

/** The path of the file of settings, where one is named. */
export function configFileOf({ configFile }: Arguments): string | undefined {
  return configFile ?? (process.env.HONGYAN_CONFIG || undefined);
}
