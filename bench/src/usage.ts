import { shortened, UsageError } from "@hongyan/testkit/arguments";

export { readArguments, shortened, UsageError } from "@hongyan/testkit/arguments";

/** The whole number of a flag, or `byDefault`. Throws `UsageError`. */
export function wholeNumber(
  flag: string,
  text: string | undefined,
  min: number,
  max: number,
  byDefault: number,
): number {
  if (text === undefined) return byDefault;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new UsageError(`--${flag} must be a whole number from ${min} to ${max}`);
  return value;
}

/** Runs a script of package.json: its exit code, 2 for a wrong command line, 1 with the reason for any other failure. */
export async function runCommand(name: string, run: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    const isUsage = error instanceof UsageError;
    const text = isUsage
      ? error.message.replace(/\S{101,}/g, shortened)
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
    process.stderr.write(`${name}: ${text}\n${isUsage ? `Try npm run ${name} -- --help.\n` : ""}`);
    process.exitCode = isUsage ? 2 : 1;
  }
}
