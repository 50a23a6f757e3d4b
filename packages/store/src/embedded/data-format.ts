import { StoreError } from "../store-error.ts";
import type { KeyValue } from "./key-value.ts";
import { metaKey, wholeRange } from "./keys.ts";

/** Version of the layout in `keys.ts`. A newer server may read older ones; an older server must not touch newer. */
export const formatVersion = 1;

const formatKey = metaKey("format");
const epochKey = metaKey("epoch");
const probeKey = metaKey("probe");

/** The epoch of the data; new data get one. Refuses what is not ours or newer than we are. `place` is for messages. */
export async function prepareData(
  keyValue: KeyValue,
  place: string,
  createEpoch: () => string,
): Promise<string> {
  const [format, epoch] = await keyValue.getMany([formatKey, epochKey]);
  if (format === undefined) {
    await refuseForeign(keyValue, place);
    const created = createEpoch();
    await keyValue.write([
      { key: formatKey, value: Buffer.from(String(formatVersion)) },
      { key: epochKey, value: Buffer.from(created) },
    ]);
    return created;
  }
  const version = Number(Buffer.from(format).toString());
  if (version > formatVersion) {
    throw new StoreError(
      "newer_format",
      `${place} has data format ${version}; this version reads up to format ${formatVersion}. Use a newer version.`,
    );
  }
  if (version !== formatVersion || epoch === undefined) throw foreign(place);
  return Buffer.from(epoch).toString();
}

/** Shows that the disk takes writes again, and that it still holds the same data. */
export async function probeData(keyValue: KeyValue, place: string, epoch: string): Promise<void> {
  const [stored] = await keyValue.getMany([epochKey]);
  if (stored === undefined || Buffer.from(stored).toString() !== epoch) {
    throw new StoreError("foreign", `${place} holds other data than before`);
  }
  await keyValue.write([{ key: probeKey, value: Buffer.from("ok") }]);
}

async function refuseForeign(keyValue: KeyValue, place: string): Promise<void> {
  const scan = keyValue.scan({ ...wholeRange, limit: 1, keysOnly: true });
  try {
    const pairs = await scan.next();
    if (pairs.length > 0) throw foreign(place);
  } finally {
    await scan.close();
  }
}

function foreign(place: string): StoreError {
  return new StoreError("foreign", `${place} holds data that Hongyan did not write`);
}
