/** Connections that sign in and then do nothing. */
import type { Transport } from "../wire/receiver.ts";
import { Client, type Trust } from "./client.ts";
import { type Nodes, portOf } from "./nodes.ts";
import { Run } from "./run.ts";

export interface IdleInput extends Nodes {
  readonly transport: Transport;
  readonly trust: Trust;
  /** Connection i is of user `<prefix><i>`. */
  readonly prefix: string;
  readonly count: number;
}

/** Connections that may be on their way at once: more would overflow the queue of the listening socket. */
const dialingMax = 400;

class IdleClient extends Client {
  readonly #onReady: () => void;

  constructor(input: IdleInput, index: number, run: Run, onReady: () => void) {
    const { transport, trust } = input;
    super(
      { transport, port: portOf(input, index) },
      { user: `${input.prefix}${index}`, device: "d" },
      trust,
      run,
    );
    this.#onReady = onReady;
  }

  protected override ready(): void {
    this.connection.release();
    this.#onReady();
  }

  protected override answered(): void {
    answers++;
  }

  protected override take(): void {}
}

const clients: IdleClient[] = [];
const run = new Run();
/** Of pings. */
let answers = 0;

/** Opens connections until there are `count`, and leaves them open. */
export async function dial(input: IdleInput): Promise<{ ms: number }> {
  const startMs = performance.now();
  let readyCount = clients.length;
  const onReady = () => {
    readyCount++;
    next();
  };
  const next = () => {
    if (clients.length < input.count) clients.push(new IdleClient(input, clients.length, run, onReady));
  };
  for (let i = 0; i < dialingMax; i++) next();
  await run.until(`connecting ${input.count}`, () => readyCount === input.count, 120_000);
  return { ms: performance.now() - startMs };
}

/** Each of them pings so many times; resolves when all were answered. */
export async function pingAll({ times }: { readonly times: number }): Promise<void> {
  const before = answers;
  for (let nth = 1; nth <= times; nth++) {
    for (const client of clients) client.ping();
    await run.until("answering pings", () => answers === before + clients.length * nth);
  }
}

/** Closes them; fails where one was lost meanwhile. */
export async function hangUp(): Promise<void> {
  await run.pause(0);
  run.end();
  for (const client of clients) client.connection.close();
}
