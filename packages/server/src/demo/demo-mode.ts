/** Whose keys a server has: those of its configuration, or on a first start on loopback those of the demo. */
import type { Domains } from "../config/domains.ts";
import { ConfigurationError } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { shortened } from "../config/shortened.ts";
import { isLoopback } from "../process/loopback.ts";
import { openDemoSecrets } from "./demo-domain.ts";

export interface Tenants {
  readonly domains: Domains;
  readonly isDemo: boolean;
}

/**
 * Rejects with `ConfigurationError` where nobody could sign in safely: without keys, and reachable by other
 * machines or with the demo switched off.
 */
export async function openTenants(config: Config): Promise<Tenants> {
  if (Object.keys(config.domains).length > 0) return { domains: config.domains, isDemo: false };
  refuseWithoutKeys(config);
  return { domains: await openDemoSecrets(config.data), isDemo: true };
}

/** To be asked before anything is opened or written. */
export function refuseWithoutKeys({ domains, host, demo }: Config): void {
  if (Object.keys(domains).length > 0 || (demo && isLoopback(host))) return;
  const why = demo
    ? `host ${shortened(host)} is reachable by other machines, but no domain has keys; the demo users exist on loopback only.`
    : "no domain has keys, and the demo is switched off: nobody could sign in.";
  throw new ConfigurationError([`${why}\n${howToConfigure}`]);
}

const howToConfigure = `Configure a domain with keys of its own:
  (umask 077 && npx hongyan config --new-domain main > hongyan.json)     makes random secrets, for you alone to read
  npx hongyan start --host 0.0.0.0 --config hongyan.json
In the file, "keys" sign the tokens of your users (JWT, HS256), "apiKeys" open the HTTP API to your backend.
The same JSON can stand in the environment variable HONGYAN_DOMAINS. \`npx hongyan config\` shows every setting.`;
