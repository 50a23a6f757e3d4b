/** Reads a configuration file. */
import { readFileSync } from "node:fs";
import { ConfigurationError } from "./resolve.ts";
import { shortened } from "./shortened.ts";

/** Throws `ConfigurationError` where the file is missing, unreadable or not JSON. */
export function readConfigFile(path: string): { path: string; json: unknown } {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigurationError([
      `the configuration file ${shortened(path)} cannot be read: ${reason(error)}`,
    ]);
  }
  try {
    return { path, json: JSON.parse(text.replace(/^\uFEFF/, "")) };
  } catch (error) {
    throw new ConfigurationError([
      `the configuration file ${shortened(path)} is not JSON: ${withoutQuote(error)}`,
    ]);
  }
}

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "permission denied";
  if (code === "EISDIR") return "it is a directory";
  // Node goes on with the call and the whole path.
  return error instanceof Error ? (error.message.split(", ", 1)[0] ?? "") : String(error);
}

/** The parser quotes the text around the fault, which may be a secret. */
function withoutQuote(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/, (\.\.\.)?".*$/s, "");
}
