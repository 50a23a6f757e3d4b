/**
 * What every store must do, as tests: the sentences of the Store port, one by one. A store passes it to be one.
 *
 *     storeContract("PostgresStore", async () => ({ store: await PostgresStore.open(...) }));
 */
import { suite } from "node:test";
import { appendContract } from "./contract/appends.ts";
import { cursorContract } from "./contract/cursors.ts";
import { lifeContract } from "./contract/life.ts";
import { modelContract } from "./contract/model.ts";
import { partContract } from "./contract/parts.ts";
import { readContract } from "./contract/reads.ts";
import { recordContract } from "./contract/records.ts";
import type { OpenStore } from "./contract/subject.ts";
import { trimContract } from "./contract/trims.ts";

export type { OpenStore, Subject } from "./contract/subject.ts";

/**
 * Registers the suite. `open` makes a fresh, empty store each time it is called. `runs`: of the test that compares
 * random commits with the memory store; fewer where a store is slow to open.
 */
export function storeContract(name: string, open: OpenStore, runs = 60): void {
  suite(`Store contract: ${name}`, () => {
    appendContract(open);
    readContract(open);
    trimContract(open);
    cursorContract(open);
    recordContract(open);
    partContract(open);
    lifeContract(open);
    modelContract(open, runs);
  });
}
