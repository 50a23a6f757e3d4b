/** What was decided about all of the data, and must be found by whoever opens them next. */
import { StoreError } from "../store-error.ts";
import { pagesOf, pagesOfLogs } from "./copy-scan.ts";
import type { KeyValue, Operation } from "./key-value.ts";
import { kind, metaKey, recordKey, recordRange } from "./keys.ts";

const movedKey = metaKey("moved");
const importKey = metaKey("import");

/** Keys that are deleted by one write. */
const deletionsMax = 8192;

/** The data live on in another place, which is named for people: nothing is written here any more. */
export function movedMark(place: string): Operation {
  return { key: movedKey, value: Buffer.from(place) };
}

/** Where the data were moved to. */
export async function movedTo(keyValue: KeyValue): Promise<string | undefined> {
  return textAt(keyValue, movedKey);
}

export function refuseMoved(place: string, movedTo: string | undefined): void {
  if (movedTo !== undefined)
    throw new StoreError(
      "moved",
      `${place} holds old data: they were moved to the ${movedTo}, and go on there. Set postgres.url to it.`,
    );
}

/** A domain begins to come in; until `importEnd`, what is there of it is a part. */
export function importBegin(prefix: string): Operation {
  return { key: importKey, value: Buffer.from(prefix) };
}

export const importEnd: Operation = { key: importKey, value: undefined };

/** Takes out what an import has left that did not come to its end; answers the prefix of what that was. */
export async function eraseImport(keyValue: KeyValue): Promise<string | undefined> {
  const prefix = await textAt(keyValue, importKey);
  if (prefix === undefined) return undefined;
  const kinds = Object.values(kind).filter((one) => one !== kind.record && one !== kind.meta);
  for (const one of kinds) await deleteAll(keyValue, pagesOfLogs(keyValue, one, prefix, true));
  const { lt } = recordRange(prefix, "");
  await deleteAll(keyValue, pagesOf(keyValue, { gte: recordKey(prefix), lt, keysOnly: true }));
  await keyValue.write([importEnd]);
  return prefix;
}

async function deleteAll(
  keyValue: KeyValue,
  pages: AsyncIterable<readonly (readonly [Uint8Array, Uint8Array])[]>,
): Promise<void> {
  let deletions: Operation[] = [];
  const flush = async (): Promise<void> => {
    if (deletions.length > 0) await keyValue.write(deletions);
    deletions = [];
  };
  for await (const pairs of pages) {
    for (const [key] of pairs) deletions.push({ key, value: undefined });
    if (deletions.length >= deletionsMax) await flush();
  }
  await flush();
}

async function textAt(keyValue: KeyValue, key: Buffer): Promise<string | undefined> {
  const [value] = await keyValue.getMany([key]);
  return value && Buffer.from(value).toString();
}
