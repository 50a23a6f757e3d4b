/** Where the password ends: what stands behind the last @ of the address, or all of it. */
const authority = /^[a-z]+:\/\/(?:(?<login>.*)@)?(?<rest>[^@]*)$/is;

/**
 * What is wrong with the address of a database, in words that quote nothing of it: anything may be a part of the
 * password. Undefined where it can be tried.
 */
export function addressFault(url: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.:-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return "it has to begin with postgres://";
  if (scheme !== "postgres" && scheme !== "postgresql")
    return "it has to begin with postgres:// or postgresql://";
  const { login = "", rest = "" } = authority.exec(url)?.groups ?? {};
  // These end what they stand in, so that the rest would be taken for host or database.
  if (/[/?#]/.test(login)) return "/, ?, # and @ in the password are written %2F, %3F, %23 and %40";
  if (rest.includes("#")) return "it has a # behind the host: in the password it is written %23";
  if (!isEncoded(login)) return "a % in the password is written %25";
  const host = rest.split(/[/?]/, 1)[0] ?? "";
  if (host === "" && login !== "") return "no host stands behind the @";
  const port = /(?<!:[^\]]*):([^:\]]*)$/.exec(host)?.[1] ?? "";
  if (port !== "" && !(/^\d+$/.test(port) && Number(port) <= 65_535))
    return "what stands behind the host's colon is no port: host:5432/database";
  return URL.canParse(url) ? undefined : "it cannot be read";
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
