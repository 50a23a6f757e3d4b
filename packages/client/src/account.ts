/** A name for the data kept on this device: domain and user of a plain token, read without trusting it. */
export function accountOf(token: string | (() => Promise<string>)): string {
  if (typeof token !== "string") return "default";
  try {
    const [, claims = ""] = token.split(".");
    const json = atob(claims.replaceAll("-", "+").replaceAll("_", "/"));
    const { sub, domain } = JSON.parse(json) as { sub?: unknown; domain?: unknown };
    return typeof sub === "string" ? `${typeof domain === "string" ? domain : ""}.${sub}` : "default";
  } catch {
    return "default";
  }
}
