/**
 * The error table: what can go wrong with a command, and what the sender of the command should do about it.
 * `docs/reference/errors.md` is checked against it.
 */

/** `never`: the same command fails again. `later`: wait `retryAfterMs` (or back off), then send the same command.
 *  `reorder`: send again from the earliest unacknowledged message. `renew`: get a new token, then connect. */
export type RetryAdvice = "never" | "later" | "reorder" | "renew";

export interface ErrorRow {
  readonly code: number;
  /** Status of the same error in the HTTP API. */
  readonly httpStatus: number;
  readonly retry: RetryAdvice;
  readonly meaning: string;
}

export const errors = {
  bad_frame: {
    code: 1,
    httpStatus: 400,
    retry: "never",
    meaning: "The bytes are not a frame: wrong length, codec, UTF-8 or encoding.",
  },
  bad_request: {
    code: 2,
    httpStatus: 400,
    retry: "never",
    meaning: "A field is missing, of the wrong type, or outside its limit.",
  },
  unknown_command: {
    code: 3,
    httpStatus: 404,
    retry: "never",
    meaning: "This server does not know the command; the connection stays usable.",
  },
  unauthorized: {
    code: 4,
    httpStatus: 401,
    retry: "never",
    meaning: "No token or key, or one that this server did not issue or trust.",
  },
  token_expired: {
    code: 5,
    httpStatus: 401,
    retry: "renew",
    meaning: "The token was valid; its time is over.",
  },
  forbidden: {
    code: 6,
    httpStatus: 403,
    retry: "never",
    meaning: "Known, but not allowed: the role does not suffice.",
  },
  not_found: {
    code: 7,
    httpStatus: 404,
    retry: "never",
    meaning: "No such thing for this user. Things of other users and domains answer the same.",
  },
  conflict: {
    code: 8,
    httpStatus: 409,
    retry: "never",
    meaning:
      "The id is taken by something else: a client message id with another body, a conversation of another kind.",
  },
  too_large: {
    code: 9,
    httpStatus: 413,
    retry: "never",
    meaning: "The body or the frame exceeds the limit.",
  },
  out_of_order: {
    code: 10,
    httpStatus: 409,
    retry: "reorder",
    meaning: "The message named in `after` is not stored yet.",
  },
  rate_limited: {
    code: 11,
    httpStatus: 429,
    retry: "later",
    meaning: "Over the allowed rate; `retryAfterMs` says when there is room.",
  },
  overloaded: {
    code: 12,
    httpStatus: 503,
    retry: "later",
    meaning: "The server refuses new work to keep what it has accepted.",
  },
  unavailable: {
    code: 13,
    httpStatus: 503,
    retry: "later",
    meaning: "The store cannot commit now. Whether the command took effect is open: send it again.",
  },
  version_unsupported: {
    code: 14,
    httpStatus: 400,
    retry: "never",
    meaning: "The protocol version of the client is not spoken here.",
  },
  internal: {
    code: 15,
    httpStatus: 500,
    retry: "later",
    meaning: "A fault of the server; it is in the server's log.",
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorName = keyof typeof errors;

export const errorNames = Object.keys(errors) as ErrorName[];

const byCode = new Map<number, ErrorName>(errorNames.map((name) => [errors[name].code, name]));

/** The name of an error code; unknown codes of a newer server read as `internal`. */
export function errorName(code: number): ErrorName {
  return byCode.get(code) ?? "internal";
}

/** A refusal with a row of the table: thrown where a value is expected, sent as an `error` frame otherwise. */
export class ProtocolError extends Error {
  readonly code: ErrorName;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorName, message: string = errors[code].meaning, retryAfterMs?: number) {
    super(message);
    this.name = "ProtocolError";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
