/** `hongyan import`: a domain out of a file that `hongyan export` has made. */
import { configOf, type Option, readArguments, UsageError } from "./arguments.ts";
import { tallyText } from "./counted.ts";
import { ProgressLine } from "./progress-line.ts";

export const importOptions: Readonly<Record<string, Option>> = {
  from: { type: "string", value: "FILE", meaning: "The file of the domain (required)." },
};

export async function importDomain(args: readonly string[]): Promise<void> {
  const read = readArguments(args, importOptions);
  const path = read.options.get("from");
  if (path === undefined) throw new UsageError("--from is missing: the file of the domain");
  const { config } = configOf(read);
  const [copy, { intoStore }, { copyError }] = await Promise.all([
    import("@hongyan/store/copy"),
    import("./domain-places.ts"),
    import("./copy-error.ts"),
  ]);
  const line = new ProgressLine();
  try {
    // All of it is read once before anything is written.
    const { domain, tally } = await copy.checkDomainFile(path);
    const imported = await intoStore(config, copy.prefixOf(domain), (target) =>
      copy.importDomain(target, path, (done) => line.show("importing", { done, entries: tally.entries })),
    );
    line.end();
    process.stdout.write(`Imported domain ${domain} from ${path}: ${tallyText(imported)}.\n`);
  } catch (error) {
    line.end();
    throw copyError(error, path);
  }
}
