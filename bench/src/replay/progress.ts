import type { Community } from "./community.ts";

const everyMs = { terminal: 500, lines: 1000 };
const everyPercent = 5;

/** Shows how far a replay is: on a terminal one line that changes, otherwise a line every few percent. */
export class Progress {
  readonly #isTerminal = process.stderr.isTTY === true;
  #isLineOpen = false;
  #lastMs = 0;
  #lastPercent = 0;
  #last = { shown: 0, stored: 0, atMs: performance.now() };

  say(line: string): void {
    if (this.#isLineOpen) process.stderr.write("\n");
    this.#isLineOpen = false;
    process.stderr.write(`${line}\n`);
  }

  show({ tally, deliveries, devices }: Community): void {
    const nowMs = performance.now();
    const percent = Math.floor((tally.shown / deliveries) * 100);
    if (nowMs - this.#lastMs < (this.#isTerminal ? everyMs.terminal : everyMs.lines)) return;
    if (!this.#isTerminal && percent < this.#lastPercent + everyPercent) return;
    this.#lastMs = nowMs;
    this.#lastPercent = percent - (percent % everyPercent);
    const seconds = (nowMs - this.#last.atMs) / 1000;
    const rate = (now: number, before: number) => Math.round((now - before) / seconds).toLocaleString("en");
    const line = `${`${percent}`.padStart(3)} %  ${tally.stored.toLocaleString("en")} messages stored (${rate(tally.stored, this.#last.stored)}/s), ${tally.shown.toLocaleString("en")} deliveries (${rate(tally.shown, this.#last.shown)}/s), ${tally.liveCount} of ${devices.length} devices live`;
    this.#last = { shown: tally.shown, stored: tally.stored, atMs: nowMs };
    if (this.#isTerminal) process.stderr.write(`\r\x1b[K${line}`);
    else process.stderr.write(`${line}\n`);
    this.#isLineOpen = this.#isTerminal;
  }
}
