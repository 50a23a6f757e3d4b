/** The OpenAPI document, made from the schemas that the routes check with. */
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";

const bearerAuth = "apiKey";

export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Hongyan HTTP API",
        version,
        description:
          "For backends. Every call carries an API key, which belongs to one domain and reaches nothing else. Every refusal has the shape `{error: {code, name, message, retryAfterMs?}}`.",
      },
      tags: ["users", "conversations", "members", "messages"].map((name) => ({ name })),
      security: [{ [bearerAuth]: [] }],
      components: {
        securitySchemes: { [bearerAuth]: { type: "http", scheme: "bearer", description: "An API key." } },
      },
    },
  });
}

export function addOpenApiRoute(app: FastifyInstance): void {
  let document: string | undefined;
  app.get("/v1/openapi.json", { schema: { hide: true } }, (_request, reply) => {
    document ??= JSON.stringify(app.swagger());
    return reply.type("application/json; charset=utf-8").send(document);
  });
}
