/** Questions that leave as one, at most. */
const questionsMax = 1_000;
/** Reads under way at a time: a slow one holds nobody up. */
const underWayMax = 2;

interface Waiting<Question, Answer> {
  readonly questions: readonly Question[];
  readonly resolve: (answers: Answer[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * For reads of one kind what group commit is for writes: what is asked for in one tick, or while two are under way,
 * leaves as one statement. A statement alone costs as much as the answers to some twenty questions, on either side.
 */
export class GroupRead<Question, Answer> {
  readonly #ask: (questions: readonly Question[]) => Promise<Answer[]>;
  #waiting: Waiting<Question, Answer>[] = [];
  #underWay = 0;
  #isScheduled = false;

  /** `ask` answers in the order of the questions. */
  constructor(ask: (questions: readonly Question[]) => Promise<Answer[]>) {
    this.#ask = ask;
  }

  /** Reads that have not left yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  read(questions: readonly Question[]): Promise<Answer[]> {
    if (questions.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ questions, resolve, reject });
      if (this.#isScheduled || this.#underWay === underWayMax) return;
      this.#isScheduled = true;
      queueMicrotask(() => {
        this.#isScheduled = false;
        this.#start();
      });
    });
  }

  #start(): void {
    while (this.#waiting.length > 0 && this.#underWay < underWayMax) void this.#run(this.#takeGroup());
  }

  #takeGroup(): Waiting<Question, Answer>[] {
    let count = 0;
    let size = 0;
    for (const { questions } of this.#waiting) {
      if (size > 0 && count + questions.length > questionsMax) break;
      count += questions.length;
      size++;
    }
    return this.#waiting.splice(0, size);
  }

  async #run(group: readonly Waiting<Question, Answer>[]): Promise<void> {
    this.#underWay++;
    try {
      const answers = await this.#ask(group.flatMap(({ questions }) => questions));
      let at = 0;
      for (const { questions, resolve } of group) {
        resolve(answers.slice(at, at + questions.length));
        at += questions.length;
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
    this.#underWay--;
    this.#start();
  }
}
