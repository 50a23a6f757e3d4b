/** Conversations and their members. */
import type { Role } from "@hongyan/core";
import type { FastifyInstance } from "fastify";
import * as schemas from "./schemas.ts";
import type { Services } from "./services.ts";

interface OfConversation {
  Params: { conversation: string };
}
interface Paged {
  Querystring: { after?: string; limit: number };
}
interface MemberInput {
  user: string;
  role: Role;
}

export function addConversationRoutes(app: FastifyInstance, services: Services): void {
  const tags = ["conversations"];

  app.post<{ Body: { conversation?: string; name?: string; open?: boolean; members?: MemberInput[] } }>(
    "/v1/conversations",
    {
      schema: {
        tags,
        summary: "Create a group",
        description: "Direct conversations need no creation: the first message does it.",
        body: schemas.newConversation,
        response: {
          200: { description: "It was there already.", ...schemas.createdConversation },
          201: { description: "Created.", ...schemas.createdConversation },
        },
      },
    },
    async (request, reply) => {
      const { members = [], ...rest } = request.body;
      const created = await services.backend(request.caller.domain).createConversation({ ...rest, members });
      return reply.code(created.created ? 201 : 200).send(created);
    },
  );

  app.get<Paged>(
    "/v1/conversations",
    {
      schema: {
        tags,
        summary: "List the conversations of the domain",
        querystring: schemas.pageQuery(schemas.conversationId),
        response: { 200: schemas.page("conversations", schemas.conversation) },
      },
    },
    async (request) => {
      const { after = "", limit } = request.query;
      const { items, next } = await services.backend(request.caller.domain).conversations(after, limit);
      return { conversations: items, next };
    },
  );

  app.get<OfConversation>(
    "/v1/conversations/:conversation",
    {
      schema: {
        tags,
        summary: "Get a conversation",
        params: schemas.conversationParams,
        response: { 200: { description: "The conversation.", ...schemas.conversation } },
      },
    },
    (request) => services.backend(request.caller.domain).conversation(request.params.conversation),
  );

  app.patch<OfConversation & { Body: { name?: string; open?: boolean } }>(
    "/v1/conversations/:conversation",
    {
      schema: {
        tags,
        summary: "Rename a group, or open or close it for joining",
        params: schemas.conversationParams,
        body: schemas.conversationChange,
        response: { 200: { description: "The conversation as it is now.", ...schemas.conversation } },
      },
    },
    async (request) => {
      const backend = services.backend(request.caller.domain);
      await backend.updateConversation(request.params.conversation, request.body);
      return backend.conversation(request.params.conversation);
    },
  );
}

export function addMemberRoutes(app: FastifyInstance, services: Services): void {
  const tags = ["members"];
  const url = "/v1/conversations/:conversation/members";

  app.get<OfConversation & Paged>(
    url,
    {
      schema: {
        tags,
        summary: "List the members with their positions",
        params: schemas.conversationParams,
        querystring: schemas.pageQuery(schemas.id),
        response: { 200: schemas.page("members", schemas.memberState) },
      },
    },
    async (request) => {
      const { after = "", limit } = request.query;
      const backend = services.backend(request.caller.domain);
      const { items, next } = await backend.members(request.params.conversation, after, limit);
      return { members: items, next };
    },
  );

  app.post<OfConversation & { Body: { members: MemberInput[] } }>(
    url,
    {
      schema: {
        tags,
        summary: "Add members to a group",
        params: schemas.conversationParams,
        body: schemas.newMembers,
        response: { 200: { description: "How many were not members before.", ...schemas.addedMembers } },
      },
    },
    async (request) => {
      const backend = services.backend(request.caller.domain);
      return { added: await backend.addMembers(request.params.conversation, request.body.members) };
    },
  );

  app.delete<{ Params: { conversation: string; user: string } }>(
    `${url}/:user`,
    {
      schema: {
        tags,
        summary: "Remove a member from a group",
        params: schemas.memberParams,
        response: { 204: { type: "null", description: "Done." } },
      },
    },
    async (request, reply) => {
      const { conversation, user } = request.params;
      await services.backend(request.caller.domain).removeMember(conversation, user);
      return reply.code(204).send();
    },
  );
}
