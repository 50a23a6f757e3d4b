/** `hongyan export`: one domain into a file. */
import { isId } from "@hongyan/protocol";
import { quoted } from "../config/shortened.ts";
import { configOf, type Option, readArguments, UsageError } from "./arguments.ts";
import { tallyText } from "./counted.ts";
import { ProgressLine } from "./progress-line.ts";

export const exportOptions: Readonly<Record<string, Option>> = {
  domain: { type: "string", value: "ID", meaning: "The domain (required)." },
  to: { type: "string", value: "FILE", meaning: "The file to be made (required)." },
};

export async function exportDomain(args: readonly string[]): Promise<void> {
  const read = readArguments(args, exportOptions);
  const [domain, path] = [read.options.get("domain"), read.options.get("to")];
  if (domain === undefined) throw new UsageError("--domain is missing");
  if (!isId(domain))
    throw new UsageError(`--domain ${quoted(domain)} is not an id: 1 to 64 of A-Z a-z 0-9 _ . @ + = -`);
  if (path === undefined) throw new UsageError("--to is missing: the file to be made");
  const { config } = configOf(read);
  const [copy, { fromStore }, { copyError }] = await Promise.all([
    import("@hongyan/store/copy"),
    import("./domain-places.ts"),
    import("./copy-error.ts"),
  ]);
  const line = new ProgressLine();
  try {
    const tally = await fromStore(config, (source) =>
      copy.exportDomain(source, domain, path, (done) => line.show("exporting", { done, entries: 0 })),
    );
    line.end();
    process.stdout.write(`Exported domain ${domain} to ${path}: ${tallyText(tally)}.\n`);
  } catch (error) {
    line.end();
    throw copyError(error, path);
  }
}
