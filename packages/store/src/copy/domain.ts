/** One domain out of a store into a file, and out of the file into another store. */
import { StoreError } from "../store-error.ts";
import { DomainFile, DomainFileError, type DomainHeader, writeDomainFile } from "./domain-file.ts";
import type { CopySource, CopyTarget, LogMark, LogPart, Part } from "./items.ts";
import { cursorParts, inPages, logParts, recordParts } from "./parts.ts";
import { count, newTally, type Tally } from "./tally.ts";

/** What the names of all that belongs to a domain begin with; its id has no slash. */
export function prefixOf(domain: string): string {
  return `${domain}/`;
}

/** Of a source that does not change. Rejects with `StoreError` `unsuitable` where it has nothing of the domain. */
export async function exportDomain(
  source: CopySource,
  domain: string,
  path: string,
  report: (done: Readonly<Tally>) => void,
): Promise<Tally> {
  const tally = newTally();
  const header = { domain, epoch: source.epoch, time: Date.now() };
  await writeDomainFile(path, header, counted(domain, domainParts(source, domain), tally, report));
  return tally;
}

async function* counted(
  domain: string,
  parts: AsyncIterable<Part>,
  tally: Tally,
  report: (done: Readonly<Tally>) => void,
): AsyncGenerator<Part> {
  let isEmpty = true;
  for await (const part of parts) {
    yield part;
    isEmpty = false;
    count(tally, part);
    report({ ...tally });
  }
  if (isEmpty) throw new StoreError("unsuitable", `There is nothing of the domain "${domain}"`);
}

async function* domainParts(source: CopySource, domain: string): AsyncGenerator<Part> {
  const prefix = prefixOf(domain);
  // Records first: whether anything is there at all is known at once.
  yield* recordParts(source.records(prefix));
  yield* cursorParts(source.cursors(prefix));
  for await (const marks of inPages(source.logs(prefix)))
    yield* logParts(
      source,
      marks,
      marks.map(({ log }) => ({ log, head: 0, trimmed: 0 })),
    );
}

/** Reads all of the file, and answers what it says and holds. Rejects with `DomainFileError` where it is not good. */
export async function checkDomainFile(path: string): Promise<DomainHeader & { readonly tally: Tally }> {
  const file = await DomainFile.open(path);
  try {
    const { domain } = file.header;
    if (domain === "" || domain.includes("/"))
      throw new DomainFileError(`${path} names a domain that is none`);
    const tally = newTally();
    for await (const part of file.parts()) count(tally, part);
    return { ...file.header, tally };
  } finally {
    await file.close();
  }
}

/** Into a target that has nothing of the domain. Whether all of it takes effect, or nothing, is the caller's. */
export async function importDomain(
  target: CopyTarget,
  path: string,
  report: (done: Readonly<Tally>) => void,
): Promise<Tally> {
  const file = await DomainFile.open(path);
  try {
    const prefix = prefixOf(file.header.domain);
    const tally = newTally();
    for await (const part of file.parts()) {
      refuseStrangers(part, prefix);
      refuseRepeats(part);
      const have = await target.marks(part.logs.map(({ log }) => log));
      part.logs.forEach((log, at) => {
        refuseHoles(log, have[at] as LogMark);
      });
      await target.write(part);
      count(tally, part);
      report({ ...tally });
    }
    return tally;
  } finally {
    await file.close();
  }
}

/** G10: a file brings nothing into another domain. */
function refuseStrangers({ logs, cursors, records }: Part, prefix: string): void {
  const names = [
    ...logs.map(({ log }) => log),
    ...cursors.map(({ log }) => log),
    ...records.map(({ key }) => key),
  ];
  if (names.some((name) => !name.startsWith(prefix)))
    throw new DomainFileError("The file holds something of another domain");
}

/** What a part names twice, a store would write twice, and the other checks see once (G2, G3). */
function refuseRepeats({ logs, cursors, records }: Part): void {
  const isRepeated =
    new Set(logs.map(({ log }) => log)).size < logs.length ||
    new Set(cursors.map(({ log, reader }) => `${log.length}:${log}${reader}`)).size < cursors.length ||
    new Set(records.map(({ key }) => key)).size < records.length;
  if (isRepeated) throw new DomainFileError("The file names something twice in one part");
  if (records.some(({ version }) => version < 1))
    throw new DomainFileError("The file has a record without a version");
}

/** G3: what follows is what comes next, without holes. */
function refuseHoles({ log, head, trimmed, entries }: LogPart, have: LogMark): void {
  let next = have.head + 1;
  for (const { seq, body } of entries) {
    const isNext = body === undefined ? seq >= next && seq <= trimmed : seq === Math.max(next, trimmed + 1);
    if (!isNext) throw new DomainFileError(`The file has a hole in ${log}, before seq ${seq}`);
    next = seq + 1;
  }
  const isWhole = next === head + 1 || (trimmed >= head && next <= head + 1);
  if (!isWhole || trimmed > head)
    throw new DomainFileError(`The file does not have all of ${log} up to ${head}`);
}
