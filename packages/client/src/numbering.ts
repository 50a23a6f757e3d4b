/**
 * Which of two client message ids was taken later, negative where it is `other`: by their numbers, whatever the clocks
 * say. Undefined where they have nothing in common: another device, another installation.
 */
export function compareNumbers(one: string, other: string): number | undefined {
  const [a, b] = [one.lastIndexOf(":"), other.lastIndexOf(":")];
  if (a < 0 || one.slice(0, a) !== other.slice(0, b)) return undefined;
  const difference = Number(one.slice(a + 1)) - Number(other.slice(b + 1));
  return Number.isNaN(difference) ? undefined : difference;
}

/** Numbered client message ids: `<prefix>:<n>`, n from 1 in each conversation. Cheap for the server to keep. */
export class Numbering {
  readonly #prefix: string;
  readonly #next: Map<string, number>;

  constructor(prefix: string, numbers: readonly (readonly [conversation: string, next: number])[]) {
    this.#prefix = prefix;
    this.#next = new Map(numbers);
  }

  take(conversation: string): { clientMessageId: string; next: number } {
    const number = this.#next.get(conversation) ?? 1;
    this.#next.set(conversation, number + 1);
    return { clientMessageId: `${this.#prefix}:${number}`, next: number + 1 };
  }
}
