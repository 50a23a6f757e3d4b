/** For supervisors and load balancers. */
import type { Batch, Store } from "@hongyan/core";
import type { FastifyInstance } from "fastify";

/** A store that takes longer than this for one read and one write is not one to send users to. */
const probeMsMax = 2_000;

export interface Health {
  readonly store: Pick<Store, "records" | "commit">;
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
    const fault = await faultOf(health.store);
    if (fault !== undefined) return reply.code(503).send({ status: fault });
    return { status: "ok" };
  });
}

/** Changes nothing, and is rejected where a message would be. */
const emptyBatch: Batch = { appends: [], advances: [], puts: [] };

/** What keeps users from being sent here. A store that reads well and takes no writes is of no use to them. */
async function faultOf(store: Health["store"]): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, probeMsMax, "the store does not answer");
  });
  const reads = store.records(["readyz"]).then(
    () => undefined,
    () => "the store does not answer",
  );
  const writes = store.commit(emptyBatch).then(
    () => undefined,
    () => "the store takes no writes",
  );
  try {
    return await Promise.race([Promise.all([reads, writes]).then(([read, write]) => read ?? write), late]);
  } finally {
    clearTimeout(timer);
  }
}
