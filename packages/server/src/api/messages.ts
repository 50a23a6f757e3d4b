/** Messages: send and history. */
import type { Message } from "@hongyan/core";
import { fromBase64, ProtocolError, toBase64, tryDecodeUtf8 } from "@hongyan/protocol";
import type { FastifyInstance } from "fastify";
import * as schemas from "./schemas.ts";
import type { Services } from "./services.ts";

interface OfConversation {
  Params: { conversation: string };
}
interface SendBody {
  from: string;
  clientMessageId: string;
  messageType?: string;
  body?: string;
  bodyBase64?: string;
}

const tags = ["messages"];
const url = "/v1/conversations/:conversation/messages";
/** Room for the other members of the JSON object. */
const envelopeBytes = 16_384;
/** JSON may write one byte as six: a backslash, `u` and four digits. */
const escapeFactor = 6;

export function addMessageRoutes(app: FastifyInstance, services: Services): void {
  app.post<OfConversation & { Body: SendBody }>(
    url,
    {
      bodyLimit: services.bodyBytesMax * escapeFactor + envelopeBytes,
      schema: {
        tags,
        summary: "Send a message",
        description:
          "Answers once the message is durable. After a time-out, send the same again: it is stored once.",
        params: schemas.conversationParams,
        body: schemas.newMessage,
        response: {
          200: { description: "It was stored before, at this seq.", ...schemas.stored },
          201: { description: "Stored.", ...schemas.stored },
        },
      },
    },
    async (request, reply) => {
      const { from, clientMessageId, messageType } = request.body;
      const { conversation } = request.params;
      const body = bodyOf(request.body, services.bodyBytesMax);
      const message = { conversation, from, clientMessageId, messageType, body };
      const stored = await services.backend(request.caller.domain).send(message);
      return reply.code(stored.duplicate ? 200 : 201).send(stored);
    },
  );

  app.get<OfConversation & { Querystring: { before?: number; after?: number; limit: number } }>(
    url,
    {
      schema: {
        tags,
        summary: "Read the history, ascending by seq",
        description:
          "Without `before` and `after`: the latest. A page may hold fewer than `limit` where bodies are large; an empty one is the end. Entries of the server itself are included.",
        params: schemas.conversationParams,
        querystring: schemas.historyQuery,
        response: { 200: { description: "At most `limit` messages.", ...schemas.history } },
      },
    },
    async (request) => {
      const { before, after } = request.query;
      if (before !== undefined && after !== undefined) {
        throw new ProtocolError("bad_request", "the query must not have both before and after");
      }
      const backend = services.backend(request.caller.domain);
      return { messages: (await backend.history(request.params.conversation, request.query)).map(toJson) };
    },
  );
}

function bodyOf({ body, bodyBase64 }: SendBody, bytesMax: number): Uint8Array {
  if ((body === undefined) === (bodyBase64 === undefined)) {
    throw new ProtocolError("bad_request", "the body must have either body or bodyBase64");
  }
  if (body !== undefined && !body.isWellFormed())
    throw new ProtocolError("bad_request", "body in the body is not well-formed Unicode");
  const bytes = body === undefined ? fromBase64(bodyBase64 ?? "") : new TextEncoder().encode(body);
  if (bytes === undefined) throw new ProtocolError("bad_request", "bodyBase64 in the body is not base64");
  if (bytes.length > bytesMax)
    throw new ProtocolError("too_large", `The body is longer than ${bytesMax} bytes.`);
  return bytes;
}

function toJson({ seq, from, time, clientMessageId, messageType, body }: Message): object {
  const text = tryDecodeUtf8(body);
  return {
    seq,
    from,
    time,
    clientMessageId,
    messageType,
    ...(text === undefined ? { bodyBase64: toBase64(body) } : { body: text }),
  };
}
