/**
 * What everybody must agree on. The first device that is shown an entry writes it down, after comparing it with the
 * trace; every other device must be shown the same bytes under the same seq. In the end the server's log is compared
 * with it.
 */
import { decodeFrame, type FrameNamed } from "@hongyan/protocol";
import { type Script, userId } from "./script.ts";

/** Line of an entry that the server itself wrote. */
export const systemLine = -1;
const unknownLine = -2;
const violationsMax = 20;

interface GroupLedger {
  /** Line by seq. */
  lines: Int32Array;
  /** Fields and body by seq, as they came first. */
  readonly bytes: (Buffer | undefined)[];
}

/** Who numbers messages: one device in one group. */
export interface Numbering {
  readonly user: number;
  readonly group: number;
  /** Line of message n at n - 1. */
  readonly lines: number[];
}

export class Ledger {
  readonly #script: Script;
  readonly #groups: GroupLedger[];
  /** By `<prefix> <group>`. */
  readonly #numberings = new Map<string, Numbering>();
  /** Seq that each line was acknowledged with, 0 while it was not. */
  readonly seqOf: Float64Array;
  readonly violations: string[] = [];
  violationCount = 0;

  constructor(script: Script) {
    this.#script = script;
    this.seqOf = new Float64Array(script.lines.length);
    this.#groups = script.groups.map(() => ({ lines: new Int32Array(256).fill(unknownLine), bytes: [] }));
  }

  violate(text: string): void {
    this.violationCount++;
    if (this.violations.length < violationsMax) this.violations.push(text);
  }

  numbering(prefix: string, user: number, group: number): Numbering {
    const numbering: Numbering = { user, group, lines: [] };
    this.#numberings.set(`${prefix} ${group}`, numbering);
    return numbering;
  }

  /** The line that a client message id stands for; undefined where nobody sent such a one. */
  lineOf(group: number, clientMessageId: string): { line: number; prefix: string; n: number } | undefined {
    const colon = clientMessageId.lastIndexOf(":");
    const prefix = clientMessageId.slice(0, colon);
    const n = Number(clientMessageId.slice(colon + 1));
    const line = this.#numberings.get(`${prefix} ${group}`)?.lines[n - 1];
    return line === undefined ? undefined : { line, prefix, n };
  }

  /** The sender was told that `line` is stored at `seq`. */
  acknowledged(line: number, group: number, seq: number): void {
    const before = this.seqOf[line] as number;
    if (before !== 0 && before !== seq)
      this.violate(`G2: line ${line + 1} was acknowledged as seq ${before} and as seq ${seq}`);
    this.seqOf[line] = seq;
    this.#write(group, seq, line);
  }

  /** A device is shown the frame in `bytes[start, end)`; returns its line. */
  shown(device: string, group: number, seq: number, bytes: Buffer, start: number, end: number): number {
    const ledger = this.#groups[group] as GroupLedger;
    const first = ledger.bytes[seq];
    if (first !== undefined) {
      if (bytes.compare(first, 0, first.length, start + 12, end) === 0) return ledger.lines[seq] as number;
      this.violate(`G3: ${device} was shown something else than the others at seq ${seq} of g${group}`);
      return unknownLine;
    }
    const line = this.#check(device, group, decodeFrame(bytes, start, end).frame as FrameNamed<"message">);
    this.#write(group, seq, line);
    ledger.bytes[seq] = Buffer.from(bytes.subarray(start + 12, end));
    return line;
  }

  #write(group: number, seq: number, line: number): void {
    const ledger = this.#groups[group] as GroupLedger;
    if (seq >= ledger.lines.length) {
      const grown = new Int32Array(Math.max(seq + 1, ledger.lines.length * 2)).fill(unknownLine);
      grown.set(ledger.lines);
      ledger.lines = grown;
    }
    const before = ledger.lines[seq] as number;
    if (before !== unknownLine && before !== line)
      this.violate(
        `G3: seq ${seq} of g${group} is line ${before + 1} for one and line ${line + 1} for another`,
      );
    ledger.lines[seq] = line;
  }

  /** Compares a message with the trace; returns its line. */
  #check(where: string, group: number, message: FrameNamed<"message">): number {
    return this.check(
      where,
      group,
      message.seq,
      message.from,
      message.clientMessageId,
      message.messageType,
      message.body,
    );
  }

  check(
    where: string,
    group: number,
    seq: number,
    from: string,
    clientMessageId: string,
    messageType: string | undefined,
    body: Uint8Array | undefined,
  ): number {
    if (messageType?.startsWith("hongyan.")) return systemLine;
    const found = this.lineOf(group, clientMessageId);
    const place = `${where}, seq ${seq} of g${group}`;
    if (found === undefined) {
      this.violate(`${place}: client message id ${JSON.stringify(clientMessageId)} was never sent`);
      return unknownLine;
    }
    const line = this.#script.lines[found.line];
    if (line === undefined) throw new Error("a numbering names a line that does not exist");
    if (from !== userId(line.user))
      this.violate(`${place}: line ${found.line + 1} comes from ${from}, not ${userId(line.user)}`);
    if (body === undefined || line.body.compare(body) !== 0)
      this.violate(`${place}: line ${found.line + 1} has another text`);
    return found.line;
  }
}

/** Continues a hash over the lines that a device was shown, in their order. */
export function hashLine(hash: number, line: number): number {
  return Math.imul(hash ^ (line + 0x9e37), 0x0100_0193) ^ (hash >>> 15);
}
