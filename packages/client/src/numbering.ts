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
