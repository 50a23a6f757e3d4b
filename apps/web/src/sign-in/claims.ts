/** What the page reads from a token. It is not verified here: that is the server's work. */
export interface Claims {
  readonly user: string;
  readonly domain: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The claims of a JWT, or undefined when the text is none. */
export function claimsOf(token: string): Claims | undefined {
  const parts = token.split(".");
  const payload = parts[1];
  if (parts.length !== 3 || payload === undefined || token.length > 4096) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (letter) =>
      letter.charCodeAt(0),
    );
    const claims: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof claims !== "object" || claims === null) return undefined;
    const { sub, domain, exp } = claims as Record<string, unknown>;
    if (typeof sub !== "string" || typeof exp !== "number") return undefined;
    return { user: sub, domain: typeof domain === "string" ? domain : "default", expiresAt: exp * 1000 };
  } catch {
    return undefined;
  }
}

/** The token in a fragment (`#token=…`), in a whole sign-in link, or in what somebody pasted. */
export function tokenIn(text: string): string | undefined {
  const trimmed = text.trim();
  const inLink = /[#&?]token=([^&\s]+)/u.exec(trimmed)?.[1];
  const token = inLink === undefined ? trimmed : decode(inLink);
  return token !== undefined && claimsOf(token) !== undefined ? token : undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
