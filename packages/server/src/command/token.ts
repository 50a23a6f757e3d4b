/** `hongyan token`: makes a token for a user, with the keys of the configuration or of the demo. */
import { isId } from "@hongyan/protocol";
import type { Domains } from "../config/domains.ts";
import type { Config } from "../config/schema.ts";
import { quoted, shortened } from "../config/shortened.ts";
import { readDemoSecrets } from "../demo/demo-domain.ts";
import { configOf, type Option, readArguments, UsageError } from "./arguments.ts";

export const tokenOptions: Readonly<Record<string, Option>> = {
  user: { type: "string", value: "ID", meaning: "Whom the token speaks for (required): --user alice" },
  domain: {
    type: "string",
    value: "ID",
    meaning: "The domain; not needed where there is one: --domain main",
  },
  ttl: {
    type: "string",
    value: "TIME",
    meaning: "How long it is valid, in s, m, h or d: --ttl 15m. Default 1h; at most tokenLifetimeMsMax, 31d.",
  },
};

export async function token(args: readonly string[]): Promise<void> {
  const read = readArguments(args, tokenOptions);
  const user = read.options.get("user");
  if (user === undefined) throw new UsageError("--user is missing");
  if (!isId(user))
    throw new UsageError(`--user ${quoted(user)} is not an id: 1 to 64 of A-Z a-z 0-9 _ . @ + = -`);
  const { config } = configOf(read);
  const lifetimeMs = readDuration(read.options.get("ttl") ?? "1h");
  if (lifetimeMs > config.tokenLifetimeMsMax) {
    throw new UsageError(
      `--ttl is above tokenLifetimeMsMax (${config.tokenLifetimeMsMax} ms): servers would refuse the token`,
    );
  }
  const domains = await domainsOf(config);
  const domain = chooseDomain(read.options.get("domain"), Object.keys(domains));
  const [{ openKeyRing }, { mintToken }] = await Promise.all([
    import("../auth/key-ring.ts"),
    import("../auth/tokens.ts"),
  ]);
  const minted = await mintToken(await openKeyRing(domains), { domain, user, lifetimeMs, now: Date.now() });
  process.stdout.write(`${minted.token}\n`);
}

async function domainsOf(config: Config): Promise<Domains> {
  if (Object.keys(config.domains).length > 0) return config.domains;
  const demo = await readDemoSecrets(config.data);
  if (demo !== undefined) {
    // A server with keys of its own does not know these.
    process.stderr.write(`Signed with the demo keys in ${shortened(config.data)}.\n`);
    return demo;
  }
  throw new UsageError(
    `no domain is configured, and ${shortened(config.data)} holds no demo: name the configuration with --config, or start the server once`,
  );
}

function chooseDomain(wanted: string | undefined, known: readonly string[]): string {
  const [only] = known;
  if (wanted === undefined && known.length === 1 && only !== undefined) return only;
  if (wanted === undefined) throw new UsageError(`--domain is missing: one of ${known.join(", ")}`);
  if (!known.includes(wanted))
    throw new UsageError(`no keys for domain ${quoted(wanted)}; there are ${known.join(", ")}`);
  return wanted;
}

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `1h`, `7d`. A number alone is refused: five minutes or five seconds? */
export function readDuration(text: string): number {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  const ms = Number(match?.[1]) * (unitsMs[match?.[2] ?? ""] ?? Number.NaN);
  if (!(ms > 0)) throw new UsageError(`--ttl ${quoted(text)} is not a time like 30s, 15m, 1h or 7d`);
  return ms;
}
