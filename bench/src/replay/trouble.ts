/** What goes wrong on the way of a replay. */
export interface Trouble {
  /** Lines that may have been said by now: some are left for what is still to go wrong. */
  readonly linesMax: number;
  /** Begins what is due. */
  tick(): void;
  /** Everything has gone wrong that was to, and everybody is back. */
  readonly isOver: boolean;
  /** Why it does not come to an end. */
  readonly failure: string | undefined;
  /** For the result: what happened, and what it cost. */
  readonly report: readonly (readonly [name: string, what: string])[];
}

/** Without anything moving for so long a replay is over; once something is known to be wrong, sooner. */
const silenceMsMax = { right: 60_000, wrong: 5_000 };

export function silenceMs({ violationCount }: { readonly violationCount: number }): number {
  return violationCount === 0 ? silenceMsMax.right : silenceMsMax.wrong;
}
