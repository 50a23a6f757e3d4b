/** Users: profiles, tokens, sessions, and what waits for them. */
import type { FastifyInstance } from "fastify";
import * as schemas from "./schemas.ts";
import type { Services } from "./services.ts";

interface OfUser {
  Params: { user: string };
}
interface Paged {
  Querystring: { after?: string; limit: number };
}

const tags = ["users"];

export function addUserRoutes(app: FastifyInstance, services: Services): void {
  app.put<OfUser & { Body: { name?: string } }>(
    "/v1/users/:user",
    {
      schema: {
        tags,
        summary: "Set the profile of a user",
        description: "Users need no profile to send and receive; it gives them a name.",
        params: schemas.userParams,
        body: schemas.putUser,
        response: { 200: { description: "The profile.", ...schemas.user } },
      },
    },
    async (request) => {
      const user = { user: request.params.user, name: request.body.name };
      await services.backend(request.caller.domain).putUser(user);
      return user;
    },
  );

  app.get<OfUser>(
    "/v1/users/:user",
    {
      schema: {
        tags,
        summary: "Get the profile of a user",
        params: schemas.userParams,
        response: { 200: { description: "The profile.", ...schemas.user } },
      },
    },
    (request) => services.backend(request.caller.domain).user(request.params.user),
  );

  app.get<Paged>(
    "/v1/users",
    {
      schema: {
        tags,
        summary: "List the profiles, ordered by user",
        querystring: schemas.pageQuery(schemas.id),
        response: { 200: schemas.page("users", schemas.user) },
      },
    },
    async (request) => {
      const { after = "", limit } = request.query;
      const { items, next } = await services.backend(request.caller.domain).users(after, limit);
      return { users: items, next };
    },
  );

  app.get<{ Querystring: { users: string } }>(
    "/v1/online",
    {
      schema: {
        tags,
        summary: "Ask which users are online",
        description: "Those who have a session, on whichever node. With several nodes it takes up to 0.4 s.",
        querystring: schemas.onlineQuery,
        response: { 200: { description: "Those who are.", ...schemas.online } },
      },
    },
    async (request) => {
      const users = [...new Set(request.query.users.split(","))];
      return { online: await services.backend(request.caller.domain).online(users) };
    },
  );

  app.delete<OfUser>(
    "/v1/users/:user",
    {
      schema: {
        tags,
        summary: "Forget the profile of a user and end their sessions",
        description: "Messages and memberships stay.",
        params: schemas.userParams,
        response: { 204: { type: "null", description: "Done." } },
      },
    },
    async (request, reply) => {
      await services.backend(request.caller.domain).removeUser(request.params.user);
      return reply.code(204).send();
    },
  );

  const secondsMax = Math.floor(services.tokenLifetimeMsMax / 1000);
  app.post<OfUser & { Body: { ttlSeconds: number } | null }>(
    "/v1/users/:user/tokens",
    {
      schema: {
        tags,
        summary: "Make a token with which the user's devices connect",
        description: "Your backend can also sign tokens itself, with a key of the domain.",
        params: schemas.userParams,
        body: schemas.newToken(secondsMax),
        response: { 201: { description: "The token.", ...schemas.token } },
      },
    },
    async (request, reply) => {
      const seconds = request.body?.ttlSeconds ?? schemas.tokenSecondsByDefault(secondsMax);
      return reply
        .code(201)
        .send(await services.mintToken(request.caller.domain, request.params.user, seconds * 1000));
    },
  );

  app.post<OfUser & { Body: { device?: string } | null }>(
    "/v1/users/:user/kick",
    {
      schema: {
        tags,
        summary: "End the sessions of a user, or of one device",
        description: "Their tokens stay valid: let them expire, or remove the key that signed them.",
        params: schemas.userParams,
        body: schemas.kick,
        response: { 204: { type: "null", description: "Done." } },
      },
    },
    async (request, reply) => {
      await services.backend(request.caller.domain).kick(request.params.user, request.body?.device);
      return reply.code(204).send();
    },
  );

  app.get<OfUser & Paged>(
    "/v1/users/:user/conversations",
    {
      schema: {
        tags,
        summary: "List the conversations of a user with their unread counts",
        params: schemas.userParams,
        querystring: schemas.pageQuery(schemas.conversationId),
        response: { 200: schemas.page("conversations", schemas.userConversation) },
      },
    },
    async (request) => {
      const { after = "", limit } = request.query;
      const backend = services.backend(request.caller.domain);
      const { items, next } = await backend.userConversations(request.params.user, after, limit);
      return { conversations: items, next };
    },
  );
}
