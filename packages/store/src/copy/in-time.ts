import { StoreError } from "../store-error.ts";

/** Rejects with `overloaded` where `work` takes longer. What it has begun may go on. */
export async function inTime<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, ms, new StoreError("overloaded", `The rest was not copied within ${ms} ms`));
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
