/** The HTTP API v1 for backends: one scope in which every request has an API key, and so a domain. */
import { ProtocolError } from "@hongyan/protocol";
import type { FastifyInstance, FastifyRequest, HTTPMethods } from "fastify";
import { addConversationRoutes, addMemberRoutes } from "./conversations.ts";
import { sendError } from "./errors.ts";
import { addMessageRoutes } from "./messages.ts";
import * as schemas from "./schemas.ts";
import type { Services } from "./services.ts";
import { addUserRoutes } from "./users.ts";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const satisfies HTTPMethods[];

export async function addApi(app: FastifyInstance, services: Services): Promise<void> {
  await app.register(async (scope) => {
    acceptEmptyBodies(scope);
    const urls = new Map<string, Set<string>>();
    scope.addHook("onRoute", (route) => {
      const known = urls.get(route.url) ?? new Set();
      for (const method of [route.method].flat()) known.add(method);
      urls.set(route.url, known);
      if (route.schema !== undefined && !route.schema.hide) {
        route.schema.response = {
          ...(route.schema.response as object | undefined),
          "4xx": schemas.error,
          "5xx": schemas.error,
        };
      }
    });
    scope.decorateRequest("caller");
    scope.addHook("onRequest", async (request, reply) => {
      reply.header("cache-control", "no-store");
      request.caller = services.apiKeys.identify(request.headers.authorization);
    });
    scope.addHook("preValidation", async (request) => readNumbers(request));
    if (services.logRequests) {
      scope.addHook("onResponse", async (request, reply) => {
        const { domain, apiKey } = request.caller ?? {};
        const milliseconds = Math.round(reply.elapsedTime);
        services.journal.info("api.request", {
          method: request.method,
          route: request.routeOptions.url,
          status: reply.statusCode,
          milliseconds,
          domain,
          apiKey,
        });
      });
    }
    addUserRoutes(scope, services);
    addConversationRoutes(scope, services);
    addMemberRoutes(scope, services);
    addMessageRoutes(scope, services);
    refuseOtherMethods(scope, urls);
  });
}

/**
 * Many HTTP clients say `content-type: application/json` on every request, also where they send nothing: that is no
 * body, which is refused only where one is needed.
 */
function acceptEmptyBodies(scope: FastifyInstance): void {
  const parseJson = scope.getDefaultJsonParser("error", "error");
  scope.removeContentTypeParser("application/json");
  scope.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, text, done) => {
    if (text === "") done(null, null);
    else parseJson(request, text, done);
  });
}

/** A path that exists answers other methods with 405 and what it does know, not with "no such path". */
function refuseOtherMethods(scope: FastifyInstance, urls: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const [url, known] of [...urls]) {
    const allow = [...known].join(", ");
    const method = methods.filter((one) => !known.has(one));
    if (method.length === 0) continue;
    scope.route({
      method,
      url,
      schema: { hide: true },
      handler: (request, reply) => {
        const error = new ProtocolError(
          "unknown_command",
          `${request.method} is not known here, but ${allow}.`,
        );
        return sendError(reply.header("allow", allow), error, 405);
      },
    });
  }
}

/**
 * Queries are text and their schemas speak of numbers. Coercion in the validator would also turn the numbers of
 * JSON bodies into text and back, where a wrong type is better refused.
 */
function readNumbers(request: FastifyRequest): void {
  const schema = request.routeOptions.schema?.querystring as
    | { properties?: Record<string, { type?: string }> }
    | undefined;
  const query = request.query as Record<string, unknown>;
  for (const [name, { type }] of Object.entries(schema?.properties ?? {})) {
    const value = query[name];
    if (type === "integer" && typeof value === "string" && /^\d{1,16}$/.test(value))
      query[name] = Number(value);
  }
}
