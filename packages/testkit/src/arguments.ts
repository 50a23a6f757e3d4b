/** Command lines of the tools beside the product (`sim`, `bench`, `replay`), refused in words of ours. */
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The command line, or what it names, is wrong: exit 2. */
export class UsageError extends Error {}

/** Reads a command line; throws `UsageError` for what it does not know. */
export function readArguments<const T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: joined(args, options), options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(reason(error, options));
  }
}

/** What somebody wrote, as a message repeats it: a line stays a line, however much was written. */
export function shortened(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}

/** `--kills -1` → `--kills=-1`: it is a number that somebody got wrong, which the flag itself says better. */
function joined(args: readonly string[], options: ParseArgsOptionsConfig): string[] {
  const all: string[] = [];
  for (const arg of args) {
    const flag = all.at(-1) ?? "";
    if (/^-\d/.test(arg) && flag.startsWith("--") && options[flag.slice(2)]?.type === "string")
      all.push(`${all.pop()}=${arg}`);
    else all.push(arg);
  }
  return all;
}

/** Node's own texts explain its parser. */
function reason(error: unknown, options: ParseArgsOptionsConfig): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const [, flag = ""] = /'(?:-\w, )?(--?[^' ]+)/s.exec(message) ?? [];
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") return `unknown flag ${shortened(flag)}`;
  if (code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE")
    return `${flag} ${options[flag.slice(2)]?.type === "boolean" ? "takes no" : "needs a"} value`;
  return message;
}
