import type { LogId } from "@hongyan/core";
import { digestOf } from "../digest.ts";
import { eraseBodies, setErased, trimLog as setTrimmed } from "./statements.ts";
import type { Writer } from "./writer.ts";

/** Bodies that one statement takes out: a long one would hold its locks for long. */
const entriesPerStep = 5_000;

/**
 * Forgets entries with `seq <= upTo`. From the first statement on no read shows them; then their bodies are taken
 * out, a part at a time. How far that came is written down, so that a trim that was interrupted is finished by the
 * next one.
 */
export async function trimLog(writer: Pick<Writer, "run">, log: LogId, upTo: number): Promise<void> {
  const id = digestOf(log);
  const [row] = await writer.run(setTrimmed, [id, Math.min(upTo, Number.MAX_SAFE_INTEGER)]);
  if (row === undefined) return;
  const [trimmed = 0, erased = 0] = row.map(Number);
  for (let from = erased; from < trimmed; from += entriesPerStep) {
    const to = Math.min(from + entriesPerStep, trimmed);
    await writer.run(eraseBodies, [id, from, to]);
    await writer.run(setErased, [id, to]);
  }
}
