/**
 * The answers, when all are there: nothing goes on behind the back of whoever waited. Rejects with the failure that is
 * first in the list, and not in time: of statements that were sent one after another, those behind the one that failed
 * only say that the transaction is lost.
 */
export async function settled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}
