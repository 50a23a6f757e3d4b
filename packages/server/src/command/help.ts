/** What `--help` prints. */
import { namedKeys } from "../config/schema.ts";
import type { Option } from "./arguments.ts";
import { bucketsOptions } from "./buckets.ts";
import { configOptions } from "./config.ts";
import { exportOptions } from "./export.ts";
import { importOptions } from "./import.ts";
import { migrateOptions } from "./migrate.ts";
import { tokenOptions } from "./token.ts";

const general = `hongyan — self-hosted messaging: chat on a durable log, for every device, exactly once and in order

  npx hongyan start    runs the server
  npx hongyan token    makes a token for a user
  npx hongyan config   shows the settings in force
  npx hongyan migrate  moves the data into PostgreSQL, also while the server runs
  npx hongyan buckets  shows which PostgreSQL server has what, and moves it to another
  npx hongyan export   writes a domain into a file
  npx hongyan import   reads a domain from a file

  --help               help, also of a command
  --version            the version
`;

/** What a server and its settings are about. */
const settingsOfServer = ["host", "port", "tcp-port", "data", "log-level"];
/** What a command needs that works on data. */
const settingsOfData = ["data", "log-level"];

function row(flag: string, meaning: string): string {
  return `  --${flag.padEnd(16)} ${meaning}\n`;
}

function settingsHelp(flags: readonly string[]): string {
  const rows = namedKeys
    .filter(({ flag }) => flag !== undefined && flags.includes(flag))
    .map((key) => row(key.flag ?? "", `${key.meaning} Default ${String(key.default)}.`));
  return `${rows.join("")}${row("config FILE", "JSON file of settings.")}
Every setting is also an environment variable, and a flag if it is not a secret: npx hongyan config --markdown lists them.
Exit codes: 0 done or stopped in order, 1 could not start or a fault, 2 wrong command line or configuration.
`;
}

const whoseKeys = `  --config FILE      The settings of the server, whose keys sign the token: --config hongyan.json
  --data DIR         Where no domain is configured: the data directory of the server, which holds the keys of its demo:
                     --data /var/lib/hongyan. Default ./data.

  npx hongyan token --user alice
  npx hongyan token --user alice --domain main --ttl 7d --config hongyan.json

The token alone goes to standard output. Every other setting may be given as well, as to start; what counts here are the
domains and tokenLifetimeMsMax. Exit codes: 0 done, 1 a fault, 2 wrong command line or configuration.
`;

const whichStore = `
The store is PostgreSQL where the settings name postgres.url, else the directory in --data, which no server may have in use.
`;

function optionsHelp(options: Readonly<Record<string, Option>>): string {
  return Object.entries(options)
    .map(([name, { value, meaning }]) => row(value === undefined ? name : `${name} ${value}`, meaning))
    .join("");
}

export function help(command: string | undefined): string {
  if (command === "start")
    return `npx hongyan start [flags]: runs the server until SIGTERM or SIGINT\n\n${settingsHelp(settingsOfServer)}`;
  if (command === "token")
    return `npx hongyan token --user ID [flags]: prints a token\n\n${optionsHelp(tokenOptions)}${whoseKeys}`;
  if (command === "config")
    return `npx hongyan config [flags]: prints the settings in force\n\n${optionsHelp(configOptions)}\n${settingsHelp(settingsOfServer)}`;
  if (command === "migrate")
    return `npx hongyan migrate [flags]: moves the data of the embedded store in --data to postgres.url\n\n${optionsHelp(migrateOptions)}\n${settingsHelp(settingsOfData)}`;
  if (command === "buckets")
    return `npx hongyan buckets [flags]: shows on which PostgreSQL server each bucket of logs is
npx hongyan buckets move 8-f --to NAME [flags]: moves buckets to a server, also while nodes run\n\n${optionsHelp(bucketsOptions)}\n${settingsHelp(settingsOfData)}`;
  if (command === "export")
    return `npx hongyan export --domain ID --to FILE [flags]: writes a domain into a file\n\n${optionsHelp(exportOptions)}\n${settingsHelp(settingsOfData)}${whichStore}`;
  if (command === "import")
    return `npx hongyan import --from FILE [flags]: reads a domain from a file\n\n${optionsHelp(importOptions)}\n${settingsHelp(settingsOfData)}${whichStore}`;
  return general;
}
