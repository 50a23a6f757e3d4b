/** Flags that say where figures go, and not what they are. */
const destinations = new Set(["--json"]);

/** The command that makes the figures of this process, as it would be typed again. */
export function commandLine(args: readonly string[] = process.argv.slice(2)): string {
  const kept: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    if (destinations.has(arg)) at++;
    else if (![...destinations].some((flag) => arg.startsWith(`${flag}=`))) kept.push(arg);
  }
  return ["npm run bench --", ...kept].join(" ").replace(/ --$/, "");
}
