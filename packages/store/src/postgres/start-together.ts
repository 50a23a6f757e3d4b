import { StoreError } from "../store-error.ts";

/**
 * The first node that names further servers ends all connections to home, and with them those of nodes that are just
 * starting as well: see placement.ts. That happens once, so one more attempt is enough.
 */
export async function startTogether<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (error instanceof StoreError && error.code !== "unreachable") throw error;
    return start();
  }
}
