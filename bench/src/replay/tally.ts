import { Histogram } from "../measure/histogram.ts";
import type { Ledger } from "./ledger.ts";
import type { Script } from "./script.ts";

/** What all devices of a replay share: who has said what when, and how far everybody is. */
export class Tally {
  readonly ledger: Ledger;
  /** When each line was handed to its device. */
  readonly fedAtMs: Float64Array;
  /** How many devices a message of each group goes to, the sending one included. */
  readonly devicesOf: Int32Array;
  readonly toStored = new Histogram();
  readonly toShown = new Histogram();
  /** The same for messages whose way did not meet a kill. */
  readonly toStoredUndisturbed = new Histogram();
  readonly toShownUndisturbed = new Histogram();
  fed = 0;
  stored = 0;
  shown = 0;
  /** How often stored lines are still to be shown. */
  pending = 0;
  /** Entries that came again, and were not shown again. */
  repeated = 0;
  holes = 0;
  resent = 0;
  receipts = 0;
  syncPages = 0;
  syncMismatches = 0;
  /** Devices that are signed in and have read their backlog. */
  liveCount = 0;
  /** Since when everybody has been back after the last kill: messages from before it are disturbed. */
  calmSinceMs = 0;
  epoch: string | undefined;

  constructor(script: Script, ledger: Ledger, devicesOf: Int32Array) {
    this.ledger = ledger;
    this.fedAtMs = new Float64Array(script.lines.length);
    this.devicesOf = devicesOf;
  }

  lineStored(line: number, group: number, seq: number, nowMs: number): void {
    if (this.ledger.seqOf[line] === 0) {
      this.stored++;
      this.pending += this.devicesOf[group] as number;
      const fedAtMs = this.fedAtMs[line] as number;
      this.toStored.record(nowMs - fedAtMs);
      if (fedAtMs > this.calmSinceMs) this.toStoredUndisturbed.record(nowMs - fedAtMs);
    }
    this.ledger.acknowledged(line, group, seq);
  }

  lineShown(line: number, nowMs: number): void {
    if (line < 0) return;
    this.shown++;
    this.pending--;
    const fedAtMs = this.fedAtMs[line] as number;
    this.toShown.record(nowMs - fedAtMs);
    if (fedAtMs > this.calmSinceMs) this.toShownUndisturbed.record(nowMs - fedAtMs);
  }
}
