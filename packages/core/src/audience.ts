/** A subject that has come or gone. */
export interface SubjectChange {
  readonly subject: string;
  readonly isIn: boolean;
}

/** Whose subjects they are. */
export interface AudienceSource {
  readonly memberCount: number;
  members(): Iterable<{ readonly subject: string }>;
}

/** Changes that are remembered: who was last asked longer ago than this looks at everybody again. */
const changesMax = 256;

/**
 * Where the entries of a conversation are published: one subject per member. The same object as long as the conversation
 * is in memory, while members come and go; it tells what has changed, so that whoever remembers something about it does
 * not look at all members of a large group because of one.
 */
export class Audience {
  readonly #source: AudienceSource;
  #list: readonly string[] | undefined;
  /** The last ones, oldest first, from when somebody has first looked. */
  #changes: SubjectChange[] | undefined;
  #version = 0;

  constructor(source: AudienceSource) {
    this.#source = source;
  }

  get size(): number {
    return this.#source.memberCount;
  }

  /** Rises by one with every change. */
  get version(): number {
    return this.#version;
  }

  /** All of them. An array of its own after each change, which is made when it is asked for. */
  get list(): readonly string[] {
    this.#list ??= Array.from(this.#source.members(), ({ subject }) => subject);
    return this.#list;
  }

  /** What has come and gone since `version`, oldest first; undefined where that is not remembered. */
  since(version: number): readonly SubjectChange[] | undefined {
    const changes = this.#changes ?? [];
    const first = changes.length - (this.#version - version);
    return first < 0 ? undefined : changes.slice(first);
  }

  changed(change: SubjectChange): void {
    this.#version++;
    if (this.#list === undefined && this.#changes === undefined) return;
    this.#list = undefined;
    if (this.#changes === undefined || this.#changes.length >= changesMax) this.#changes = [];
    this.#changes.push(change);
  }
}

/** Whom an event is for. */
export type Subjects = readonly string[] | Audience;

export function listOf(subjects: Subjects): readonly string[] {
  return subjects instanceof Audience ? subjects.list : subjects;
}
