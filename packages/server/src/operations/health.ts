/** For supervisors and load balancers. */
import type { Store } from "@hongyan/core";
import type { FastifyInstance } from "fastify";

/** A store that takes longer than this to answer one read is not one to send users to. */
const probeMsMax = 2_000;

export interface Health {
  readonly store: Pick<Store, "records">;
  isDraining(): boolean;
}

export function addHealthRoutes(app: FastifyInstance, health: Health): void {
  app.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });

  /** The process is alive and its event loop turns. */
  app.get("/healthz", { schema: { hide: true } }, async () => ({ status: "ok" }));

  /** New users may be sent here. */
  app.get("/readyz", { schema: { hide: true } }, async (_request, reply) => {
    if (health.isDraining()) return reply.code(503).send({ status: "draining" });
    if (!(await answers(health.store))) return reply.code(503).send({ status: "the store does not answer" });
    return { status: "ok" };
  });
}

async function answers(store: Pick<Store, "records">): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, probeMsMax, false);
  });
  try {
    return await Promise.race([store.records(["readyz"]).then(() => true), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
