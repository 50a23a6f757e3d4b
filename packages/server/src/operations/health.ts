/** For supervisors and load balancers. */
import type { Batch, Store } from "@hongyan/core";
import type { FastifyInstance } from "fastify";
import { errorCodes } from "../process/start-error.ts";

/** A store that takes longer than this for one read and one write is not one to send users to. */
const probeMsMax = 2_000;
/** However many balancers ask, the store is asked once in so long: each answer costs a write. */
const answerMsMax = 1_000;

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

  const probe = new Probe(health.store);
  /** New users may be sent here. */
  app.get("/readyz", { schema: { hide: true } }, async (_request, reply) => {
    if (health.isDraining()) return reply.code(503).send({ status: "draining" });
    const fault = await probe.fault();
    if (fault !== undefined) return reply.code(503).send({ status: fault });
    return { status: "ok" };
  });
}

/** What was found is good for a second, and whoever asks while it is looked for waits for the same answer. */
class Probe {
  readonly #store: Health["store"];
  #answer: Promise<string | undefined> | undefined;
  #freshUntilMs = 0;

  constructor(store: Health["store"]) {
    this.#store = store;
  }

  fault(): Promise<string | undefined> {
    if (performance.now() >= this.#freshUntilMs) {
      this.#freshUntilMs = Number.POSITIVE_INFINITY;
      this.#answer = faultOf(this.#store).finally(() => {
        this.#freshUntilMs = performance.now() + answerMsMax;
      });
    }
    return this.#answer as Promise<string | undefined>;
  }
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
    (error: unknown) =>
      errorCodes(error).includes("gone") ? "the data directory is gone" : "the store takes no writes",
  );
  try {
    return await Promise.race([Promise.all([reads, writes]).then(([read, write]) => read ?? write), late]);
  } finally {
    clearTimeout(timer);
  }
}
