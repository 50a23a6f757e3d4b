import type { KeyValue, Pair, ScanRange } from "./key-value.ts";
import { lengthRange, prefixRange } from "./keys.ts";

/** The longest log id, in bytes, that a key can have. */
const logBytesMax = 0xffff;

/** The pairs of a range in pages, however many there are. */
export async function* pagesOf(keyValue: KeyValue, range: ScanRange): AsyncGenerator<readonly Pair[]> {
  const scan = keyValue.scan(range);
  try {
    for (;;) {
      const pairs = await scan.next();
      if (pairs.length === 0) return;
      yield pairs;
    }
  } finally {
    await scan.close();
  }
}

/**
 * The pairs of one kind whose log begins with `prefix`. Keys begin with the length of the log: those of each length
 * that there is are a range of their own.
 */
export async function* pagesOfLogs(
  keyValue: KeyValue,
  kind: number,
  prefix: string,
  keysOnly = false,
): AsyncGenerator<readonly Pair[]> {
  for (let bytes = Buffer.byteLength(prefix); bytes <= logBytesMax; bytes++) {
    const next = await firstKey(keyValue, lengthRange(kind, bytes));
    if (next === undefined) return;
    bytes = next.readUInt16BE(1);
    yield* pagesOf(keyValue, { ...prefixRange(kind, bytes, prefix), keysOnly });
  }
}

async function firstKey(keyValue: KeyValue, range: ScanRange): Promise<Buffer | undefined> {
  const scan = keyValue.scan({ ...range, limit: 1, keysOnly: true });
  try {
    const [pair] = await scan.next();
    return pair && Buffer.from(pair[0]);
  } finally {
    await scan.close();
  }
}
