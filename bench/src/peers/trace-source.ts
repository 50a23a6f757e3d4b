import { type Script, scriptOf } from "../replay/script.ts";
import { makeTrace, readTrace } from "../trace.ts";

/** Which trace is played, and how much of it: what both the scenario and its load make the same script from. */
export interface TraceSource {
  /** Absent: a made-up one. */
  readonly file?: string | undefined;
  readonly usersMax: number;
  readonly messagesMax: number;
}

const madeUp = { seed: 1, messages: 20_000, users: 1000, groups: 50 };

/** Throws `UsageError` where the file is no trace. */
export function scriptFrom({ file, usersMax, messagesMax }: TraceSource): Script {
  return scriptOf(file === undefined ? makeTrace(madeUp) : readTrace(file), usersMax, messagesMax);
}
