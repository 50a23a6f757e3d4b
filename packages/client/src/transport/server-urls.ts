/** Where the doors of one server are. */
export interface ServerUrls {
  /** Base of the HTTP API, without a slash at the end. */
  readonly http: string;
  readonly websocket: string;
  /** Only where the url says `tcp://`. */
  readonly tcp: { readonly host: string; readonly port: number } | undefined;
}

/** Reads `http(s)://`, `ws(s)://` and `tcp://` urls. Throws `TypeError` for anything else. */
export function serverUrls(url: string | undefined): ServerUrls {
  if (url === undefined) throw new TypeError("the url of the server is needed outside of browsers");
  const parsed = new URL(url);
  if (parsed.protocol === "tcp:") {
    const host = parsed.hostname.replace(/^\[|\]$/g, "");
    return { http: "", websocket: "", tcp: { host, port: Number(parsed.port) } };
  }
  const isSecure = parsed.protocol === "https:" || parsed.protocol === "wss:";
  if (!isSecure && parsed.protocol !== "http:" && parsed.protocol !== "ws:")
    throw new TypeError(`the url of the server cannot begin with ${parsed.protocol}`);
  // `ws://host/ws` and `ws://host` mean the same server.
  const path = parsed.pathname.replace(/\/+$/, "").replace(/\/ws$/, "");
  const rest = `${parsed.host}${path}`;
  return {
    http: `${isSecure ? "https" : "http"}://${rest}`,
    websocket: `${isSecure ? "wss" : "ws"}://${rest}/ws`,
    tcp: undefined,
  };
}
