/** Shows a configuration: for people, as JSON, and as the reference page. Secrets are masked everywhere. */
import type { Domains } from "./domains.ts";
import type { Resolved } from "./resolve.ts";
import { type Config, type NamedKey, namedKeys } from "./schema.ts";

const mask = "********";

export function valueAt(config: Config, path: string): unknown {
  let at: unknown = config;
  for (const name of path.split(".")) at = (at as Record<string, unknown>)[name];
  return at;
}

/** The value as it may be shown: names of keys stay, secrets do not. */
function shown(key: NamedKey, value: unknown): unknown {
  if (key.path === "domains") return maskedDomains(value as Domains);
  if (key.path === "postgres.servers") return masked(value as Config["postgres"]["servers"]);
  if (key.secret) return value === "" ? "" : mask;
  return value;
}

function maskedDomains(domains: Domains): unknown {
  return Object.fromEntries(
    Object.entries(domains).map(([domain, { keys, apiKeys }]) => [
      domain,
      { keys: masked(keys), apiKeys: masked(apiKeys) },
    ]),
  );
}

function masked(secrets: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(secrets).map((name) => [name, mask]));
}

/** One line per key: its value, and where that comes from. */
export function printText({ config, origins }: Resolved): string {
  const rows = namedKeys.map((key) => {
    const value = JSON.stringify(shown(key, valueAt(config, key.path)));
    const origin = origins.get(key.path) ?? "default";
    return {
      name: key.path,
      value,
      note: origin === "default" ? `default; ${key.environment}` : `from ${origin}`,
    };
  });
  const nameWidth = Math.max(...rows.map((row) => row.name.length));
  const valueWidth = Math.min(28, Math.max(...rows.map((row) => row.value.length)));
  const lines = rows.map(
    (row) => `${row.name.padEnd(nameWidth)}  ${row.value.padEnd(valueWidth)}  # ${row.note}`,
  );
  return `${lines.join("\n")}\n`;
}

/** The configuration in the shape of a file. */
export function printJson({ config }: Resolved): string {
  const tree: Record<string, unknown> = {};
  for (const key of namedKeys) {
    const value = shown(key, valueAt(config, key.path));
    const [group, name] = key.path.split(".");
    if (group === undefined || name === undefined) tree[key.path] = value;
    else tree[group] = { ...(tree[group] as object | undefined), [name]: value };
  }
  return `${JSON.stringify(tree, null, 2)}\n`;
}

/** docs/reference/configuration.md */
export function printMarkdown(): string {
  const rows = namedKeys.map((key) => {
    const names = [`\`${key.environment}\``, ...(key.flag === undefined ? [] : [`\`--${key.flag}\``])].join(
      "<br>",
    );
    const limits = key.kind.limits === "" ? "" : ` (${cell(key.kind.limits)})`;
    const secret = key.secret ? " **Secret.**" : "";
    const byDefault = `\`${JSON.stringify(shown(key, key.default))}\``;
    return `| \`${key.path}\` | ${names} | ${cell(key.kind.type)}${limits} | ${byDefault} | ${cell(key.meaning)}${secret} |`;
  });
  return `${head}${rows.join("\n")}\n`;
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

const head = `# Configuration

Made by \`npx hongyan config --markdown\` from the server's own table; do not edit.

A setting comes from, in this order: a flag, an environment variable, the JSON file named by \`--config\` or
\`HONGYAN_CONFIG\`, the default. A dot in a key is a nested object in the file: \`{"log": {"level": "warn"}}\`. Secrets have
no flag, because other users of a machine can read command lines. An unknown key, variable or flag is refused.
Flags of booleans stand alone: \`--log-requests\` is true, \`--no-demo\` is false; \`--demo=false\` says the same.
\`npx hongyan config\` shows what is in force and where each value comes from.

| key | names | type | default | meaning |
|---|---|---|---|---|
`;
