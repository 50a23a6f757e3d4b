/** JSON schemas of the HTTP API: they check requests, shape answers, and are the OpenAPI document. */
import { limits } from "@hongyan/protocol";

export const id = { type: "string", format: "id" } as const;
export const conversationId = { type: "string", format: "conversation-id" } as const;
const name = { type: "string", format: "name" } as const;
const seq = { type: "integer", minimum: 0 } as const;
const milliseconds = { type: "integer", description: "Milliseconds since 1970." } as const;
const role = { type: "string", enum: ["owner", "admin", "member"] } as const;

/** Members that are not named are refused, so that a misspelt one is noticed. */
export function object(properties: object, required: readonly string[] = []): object {
  return { type: "object", properties, required, additionalProperties: false };
}

export function list(items: object): object {
  return { type: "array", items };
}

/** Query of a list that goes on after the last item of the page before. */
export const pageQuery = (after: object) =>
  object({
    after: { ...after, description: "`next` of the page before." },
    limit: { type: "integer", minimum: 1, maximum: limits.pageMessagesMax, default: 100 },
  });

export function page(items: string, of: object): object {
  const next = { type: "string", description: "Pass as `after` for the next page; absent on the last." };
  return { description: "One page.", ...object({ [items]: list(of), next }, [items]) };
}

export const userParams = object({ user: id }, ["user"]);
export const conversationParams = object({ conversation: conversationId }, ["conversation"]);
export const memberParams = object({ conversation: conversationId, user: id }, ["conversation", "user"]);

export const user = object({ user: id, name }, ["user"]);
export const putUser = object({ name });
/** An hour, where the server accepts tokens that long. */
export function tokenSecondsByDefault(secondsMax: number): number {
  return Math.min(3600, secondsMax);
}
export const newToken = (secondsMax: number) => ({
  ...object({
    ttlSeconds: {
      type: "integer",
      minimum: 1,
      maximum: secondsMax,
      default: tokenSecondsByDefault(secondsMax),
      description: "How long the token is valid.",
    },
  }),
  type: ["object", "null"],
});
export const token = object({ token: { type: "string" }, expiresAt: milliseconds }, ["token", "expiresAt"]);
export const kick = { ...object({ device: id }), type: ["object", "null"] };

const member = object({ user: id, role: { ...role, default: "member" } }, ["user"]);
const members = { type: "array", items: member, maxItems: limits.listLengthMax };

export const newConversation = object({
  conversation: {
    ...id,
    description: "Chosen by you, so that asking again is harmless; otherwise made by the server.",
  },
  name,
  open: { type: "boolean", description: "Whether any user of the domain may join." },
  members,
});
export const createdConversation = object({ conversation: conversationId, created: { type: "boolean" } }, [
  "conversation",
  "created",
]);
export const conversationChange = { ...object({ name, open: { type: "boolean" } }), minProperties: 1 };
export const conversation = object(
  {
    conversation: conversationId,
    kind: { type: "string", enum: ["direct", "group"] },
    name,
    open: { type: "boolean" },
    createdAt: milliseconds,
    members: { type: "integer" },
    head: { ...seq, description: "Seq of the latest entry." },
  },
  ["conversation", "kind", "open", "createdAt", "members", "head"],
);
export const userConversation = object(
  {
    conversation: conversationId,
    head: seq,
    read: { ...seq, description: "The user has read up to here." },
    unread: { type: "integer", description: "Messages of others after `read`." },
  },
  ["conversation", "head", "read", "unread"],
);

/** As one parameter with commas: no id has one. */
export const onlineQuery = object(
  {
    users: {
      type: "string",
      format: "ids",
      description: `User ids with commas between them, at most ${limits.listLengthMax}.`,
    },
  },
  ["users"],
);
export const online = object({ online: list(id) }, ["online"]);

export const newMembers = object({ members: { ...members, minItems: 1 } }, ["members"]);
export const addedMembers = object({ added: { type: "integer" } }, ["added"]);
export const memberState = object(
  {
    user: id,
    role,
    since: { ...seq, description: "The first seq that is delivered to the member." },
    delivered: { ...seq, description: "A device of the user has acknowledged up to here." },
    read: seq,
  },
  ["user", "role", "since", "delivered", "read"],
);

const body = { type: "string", description: "The body, where it is text." };
const bodyBase64 = { type: "string", description: "The body in base64, where it is not text." };

export const newMessage = object(
  {
    from: { ...id, description: "The sender; need not be a member." },
    clientMessageId: {
      type: "string",
      format: "client-message-id",
      description: "The idempotency key: sending it again stores nothing and answers the same seq.",
    },
    messageType: { type: "string", format: "message-type" },
    body,
    bodyBase64,
  },
  ["from", "clientMessageId"],
);
export const stored = object({ seq, time: milliseconds, duplicate: { type: "boolean" } }, [
  "seq",
  "time",
  "duplicate",
]);
export const historyQuery = object({
  before: { ...seq, description: "The last messages before this seq. Default: the latest." },
  after: { ...seq, description: "The first messages after this seq." },
  limit: { type: "integer", minimum: 1, maximum: limits.pageMessagesMax, default: 100 },
});
export const history = object(
  {
    messages: list(
      object(
        {
          seq,
          from: id,
          time: milliseconds,
          clientMessageId: { type: "string" },
          messageType: {
            type: "string",
            description: "Types that begin with `hongyan.` are entries of the server.",
          },
          body,
          bodyBase64,
        },
        ["seq", "from", "time", "clientMessageId"],
      ),
    ),
  },
  ["messages"],
);

export const error = {
  description: "A refusal; docs/reference/errors.md lists them all.",
  ...object(
    {
      error: object(
        {
          code: { type: "integer" },
          name: { type: "string" },
          message: { type: "string" },
          retryAfterMs: { type: "integer", description: "Come back after this." },
        },
        ["code", "name", "message"],
      ),
    },
    ["error"],
  ),
};
