/** For supervisors, load balancers and alerts. */
import type { Batch, Store } from "@hongyan/core";
import type { FastifyInstance } from "fastify";
import { errorCodes } from "../process/start-error.ts";

/** A store that takes longer than this for one read and one write is not one to send users to. */
const probeMsMax = 2_000;
/** However many balancers ask, the store is asked once in so long: each answer costs a write. */
const answerMsMax = 1_000;

/** Whether new users may be sent here. What was found is good for a second; who asks meanwhile gets the same answer. */
export class Readiness {
  readonly #store: Pick<Store, "records" | "commit">;
  readonly #isDraining: () => boolean;
  #answer: Promise<string | undefined> | undefined;
  #freshUntilMs = 0;

  constructor(store: Pick<Store, "records" | "commit">, isDraining: () => boolean) {
    this.#store = store;
    this.#isDraining = isDraining;
  }

  /** Undefined: they may. Else why not, in words. Never rejects, and takes `probeMsMax` at most. */
  async fault(): Promise<string | undefined> {
    return this.#isDraining() ? "draining" : this.#faultOfStore();
  }

  #faultOfStore(): Promise<string | undefined> {
    if (performance.now() >= this.#freshUntilMs) {
      this.#freshUntilMs = Number.POSITIVE_INFINITY;
      this.#answer = faultOf(this.#store).finally(() => {
        this.#freshUntilMs = performance.now() + answerMsMax;
      });
    }
    return this.#answer as Promise<string | undefined>;
  }
}

export function addHealthRoutes(app: FastifyInstance, readiness: Pick<Readiness, "fault">): void {
  app.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });

  /** The process is alive and its event loop turns. */
  app.get("/healthz", { schema: { hide: true } }, async () => ({ status: "ok" }));

  /** New users may be sent here. */
  app.get("/readyz", { schema: { hide: true } }, async (_request, reply) => {
    const fault = await readiness.fault();
    if (fault !== undefined) return reply.code(503).send({ status: fault });
    return { status: "ok" };
  });
}

/** Changes nothing, and is rejected where a message would be. */
const emptyBatch: Batch = { appends: [], advances: [], puts: [] };

/** What keeps users from being sent here. A store that reads well and takes no writes is of no use to them. */
async function faultOf(store: Pick<Store, "records" | "commit">): Promise<string | undefined> {
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
