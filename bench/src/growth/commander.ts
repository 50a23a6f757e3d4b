/** A client that sends commands one by one or in a pipeline, and waits for their answers. */
import { type Command, decodeFrame, type Frame, type FrameNamed } from "@hongyan/protocol";
import { Client, type Trust } from "../load/client.ts";
import { Run } from "../load/run.ts";
import { describe, encode, frameCode, idOf, typeOf } from "../wire/frame-bytes.ts";
import type { Transport } from "../wire/receiver.ts";

type Unnumbered<C> = C extends unknown ? Omit<C, "id"> : never;
/** A command, before it gets its id. */
export type Asked = Unnumbered<Command>;

export interface Seat {
  readonly port: number;
  readonly transport: Transport;
  readonly trust: Trust;
  readonly user: string;
  readonly device: string;
  /** Whether it reads what waits for it when it signs in. */
  readonly pulls: boolean;
}

/** Codes below this are replies; from here on pushes, which carry the id of the command they belong to. */
const pushCodeMin = 128;
/** Far above those of the numbered commands. */
const pageId = 0xfffe_0000;

export class Commander extends Client {
  readonly #runOfOne: Run;
  readonly #pulls: boolean;
  readonly #waiting = new Map<number, () => void>();
  /** Highest seq of each conversation in the page that is coming. */
  #page = new Map<string, number>();
  #lastId = 0;
  #isReady = false;
  /** Messages that came, by whatever way. */
  messages = 0;

  private constructor(seat: Seat, run: Run) {
    super(
      { transport: seat.transport, port: seat.port },
      { user: seat.user, device: seat.device },
      seat.trust,
      run,
    );
    this.#runOfOne = run;
    this.#pulls = seat.pulls;
  }

  /** Signs in; resolves once nothing is left to be pulled. */
  static async open(seat: Seat): Promise<Commander> {
    const run = new Run();
    const commander = new Commander(seat, run);
    await run.until(`signing in as ${seat.user}`, () => commander.#isReady);
    return commander;
  }

  /** Sends one command and waits for its reply. */
  async ask(command: Asked): Promise<void> {
    await this.#ending(new Promise<void>((resolve) => this.#write(command, resolve)));
  }

  /** Sends commands, at most `window` unanswered, until the time or `count` is over; how many were answered, all. */
  async pipeline(
    { window, ms = Infinity, count = Infinity }: { window: number; ms?: number; count?: number },
    next: (at: number) => Asked,
  ): Promise<number> {
    const endMs = performance.now() + ms;
    let sent = 0;
    let answered = 0;
    const done = new Promise<void>((resolve) => {
      const answer = () => {
        answered++;
        if (sent < count && performance.now() < endMs) this.#write(next(sent++), answer);
        else if (answered === sent) resolve();
      };
      while (sent < Math.min(window, count)) this.#write(next(sent++), answer);
      if (sent === 0) resolve();
    });
    await this.#ending(done);
    return answered;
  }

  close(): void {
    this.#runOfOne.end();
    this.connection.close();
  }

  /** Reads page after page until nothing is left; each request acknowledges the page before. */
  protected override sync(): void {
    if (!this.#pulls) {
      this.#isReady = true;
      return;
    }
    const positions = [...this.#page];
    this.#page = new Map();
    this.connection.write(encode({ type: "sync", id: pageId, positions, limit: 400 }));
  }

  protected override ready(): void {}

  protected override take(bytes: Buffer, start: number, end: number): void {
    const type = typeOf(bytes, start);
    const id = idOf(bytes, start);
    if (type === frameCode.message) this.#message(bytes, start, end, id);
    if (type >= pushCodeMin) return;
    if (type === frameCode.syncOk && id === pageId) {
      const { count } = decodeFrame(bytes, start, end).frame as FrameNamed<"sync.ok">;
      if (count > 0) return this.sync();
      this.#isReady = true;
      return;
    }
    const resolve = this.#waiting.get(id);
    if (resolve === undefined) return this.refused(`an answer to nothing: ${describe(bytes, start, end)}`);
    this.#waiting.delete(id);
    resolve();
  }

  #message(bytes: Buffer, start: number, end: number, id: number): void {
    this.messages++;
    if (id !== pageId) return;
    const { conversation, seq } = decodeFrame(bytes, start, end).frame as FrameNamed<"message">;
    this.#page.set(conversation, seq);
  }

  #write(command: Asked, resolve: () => void): void {
    const id = ++this.#lastId;
    this.#waiting.set(id, resolve);
    this.connection.write(encode({ ...command, id } as Frame));
  }

  /** Waits for the work, or for what ends the run before it. */
  async #ending(work: Promise<void>): Promise<void> {
    let isDone = false;
    work.then(() => {
      isDone = true;
    });
    await Promise.race([work, this.#runOfOne.until("an answer", () => isDone, 120_000)]);
  }
}
