/** `hongyan config`: what is in force, and where each value comes from. */
import { isId } from "@hongyan/protocol";
import { printJson, printMarkdown, printText } from "../config/print.ts";
import { quoted } from "../config/shortened.ts";
import { randomSecret } from "../process/random.ts";
import { configOf, type Option, readArguments, UsageError } from "./arguments.ts";

export const configOptions: Readonly<Record<string, Option>> = {
  json: { type: "boolean", meaning: "As JSON, in the shape of a file; secrets are masked." },
  markdown: { type: "boolean", meaning: "Every setting with its names, default and meaning." },
  "new-domain": {
    type: "string",
    value: "ID",
    meaning: "A configuration with one domain and fresh random secrets.",
  },
};

export function config(args: readonly string[]): void {
  const read = readArguments(args, configOptions);
  const [format, ...others] = read.options.keys();
  if (others.length > 0) throw new UsageError("choose one of --json, --markdown and --new-domain");
  process.stdout.write(text(format, read.options.get("new-domain"), () => configOf(read)));
}

function text(
  format: string | undefined,
  newDomain: string | undefined,
  resolved: () => ReturnType<typeof configOf>,
): string {
  if (format === "markdown") return printMarkdown();
  if (format === "new-domain") return newDomainFile(newDomain ?? "");
  return format === "json" ? printJson(resolved()) : printText(resolved());
}

function newDomainFile(domain: string): string {
  if (!isId(domain))
    throw new UsageError(`--new-domain ${quoted(domain)} is not an id: 1 to 64 of A-Z a-z 0-9 _ . @ + = -`);
  // Key ids are unique across domains.
  const keyId = `${domain.replace(/^[^A-Za-z]/, "k")}-1`.slice(-64);
  const domains = Object.fromEntries([
    [domain, { keys: { [keyId]: randomSecret() }, apiKeys: { backend: randomSecret() } }],
  ]);
  return `${JSON.stringify({ domains }, null, 2)}\n`;
}
