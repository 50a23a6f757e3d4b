/** Times as people read them. Every function takes `now` so that a view-model decides when "today" ends. */
export interface Clock {
  /** "14:05" */
  time(at: number): string;
  /** Today "14:05", this week "Tue", this year "4 Mar", earlier "04/03/2023". */
  short(at: number, now: number): string;
  /** The label of a day separator: "Today", "Yesterday", "Tuesday, 4 March". */
  day(at: number, now: number): string;
  /** Everything, for a tooltip. */
  full(at: number): string;
}

export function clockOf(locale: string, words: { today: string; yesterday: string }): Clock {
  const time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  const weekday = new Intl.DateTimeFormat(locale, { weekday: "short" });
  const dayOfYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
  const date = new Intl.DateTimeFormat(locale, { day: "2-digit", month: "2-digit", year: "numeric" });
  const thisYear = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
  const otherYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
  const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" });
  return {
    time: (at) => time.format(at),
    short(at, now) {
      const days = dayNumber(now) - dayNumber(at);
      if (days <= 0) return time.format(at);
      if (days === 1) return words.yesterday;
      if (days < 7) return weekday.format(at);
      return sameYear(at, now) ? dayOfYear.format(at) : date.format(at);
    },
    day(at, now) {
      const days = dayNumber(now) - dayNumber(at);
      if (days === 0) return words.today;
      if (days === 1) return words.yesterday;
      return sameYear(at, now) ? thisYear.format(at) : otherYear.format(at);
    },
    full: (at) => full.format(at),
  };
}

/** The number of the local calendar day: equal for two times of one day, also across a change of summer time. */
export function dayNumber(at: number): number {
  const date = new Date(at);
  return Math.floor(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000);
}

function sameYear(one: number, other: number): boolean {
  return new Date(one).getFullYear() === new Date(other).getFullYear();
}
