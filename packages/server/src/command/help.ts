/** What `--help` prints. */
import { namedKeys } from "../config/schema.ts";
import type { Option } from "./arguments.ts";
import { configOptions } from "./config.ts";
import { tokenOptions } from "./token.ts";

const general = `hongyan — self-hosted messaging: chat, push and a message bus on one durable log

  hongyan start    runs the server
  hongyan token    makes a token for a user
  hongyan config   shows the settings in force

  --help           help, also of a command
  --version        the version
`;

const commonSettings = ["port", "tcp-port", "host", "data", "log-level"];

function settingsHelp(): string {
  const rows = namedKeys
    .filter(({ flag }) => flag !== undefined && commonSettings.includes(flag))
    .map((key) => `  --${key.flag?.padEnd(16)} ${key.meaning} Default ${String(key.default)}.`);
  return `${rows.join("\n")}
  --config           JSON file of settings.

Every setting is also a flag and an environment variable: hongyan config --markdown lists them.
Exit codes: 0 stopped in order, 1 could not start or a fault, 2 wrong command line or configuration.
`;
}

function optionsHelp(options: Readonly<Record<string, Option>>): string {
  return Object.entries(options)
    .map(([name, { meaning }]) => `  --${name} ${meaning}\n`)
    .join("");
}

export function help(command: string | undefined): string {
  if (command === "start")
    return `hongyan start [flags]: runs the server until SIGTERM or SIGINT\n\n${settingsHelp()}`;
  if (command === "token")
    return `hongyan token --user ID [flags]: prints a token\n\n${optionsHelp(tokenOptions)}\n${settingsHelp()}`;
  if (command === "config")
    return `hongyan config [flags]: prints the settings in force\n\n${optionsHelp(configOptions)}\n${settingsHelp()}`;
  return general;
}
