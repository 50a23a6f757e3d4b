/**
 * Why the server ends a connection. The hundred tells the client what to do:
 * 4000–4099 connect again with back-off, 4100–4199 get a new token first, 4200–4299 do not connect again by yourself.
 * WebSocket carries the code in its close frame; every transport gets a `close` frame with it first.
 */
export const closeCodes = {
  going_away: {
    code: 4000,
    meaning: "The node stops or sends its users away; `retryAfterMs` says when to come back.",
  },
  heartbeat_timeout: { code: 4001, meaning: "Nothing was heard from the client for 2.5 heartbeats." },
  overloaded: {
    code: 4002,
    meaning: "Admission is closed for a moment; `retryAfterMs` says when to come back.",
  },
  internal: { code: 4003, meaning: "A fault of the server." },
  connect_timeout: { code: 4004, meaning: "No `connect` within the time allowed." },
  too_slow: { code: 4005, meaning: "The client did not read for so long that even replies had no room." },
  token_expired: { code: 4100, meaning: "The token's time is over: get a new one." },
  unauthorized: { code: 4200, meaning: "The token is not valid here." },
  replaced: { code: 4201, meaning: "The same device has connected again elsewhere." },
  kicked: { code: 4202, meaning: "An administrator or a policy ended the session." },
  bad_frame: { code: 4203, meaning: "The bytes were not the protocol; nothing after them could be trusted." },
  version_unsupported: { code: 4204, meaning: "The client is too old or too new for this server." },
  too_large: { code: 4205, meaning: "A frame longer than the limit was announced." },
  disconnected: { code: 4206, meaning: "The client asked for it with `disconnect`." },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type CloseName = keyof typeof closeCodes;

/** What a close code asks of the client. Codes of the transport itself (1000–1015) mean: connect again. */
export function closeAdvice(code: number): "reconnect" | "renew" | "stop" {
  if (code >= 4200 && code < 4300) return "stop";
  if (code >= 4100 && code < 4200) return "renew";
  return "reconnect";
}
