import type { PostgresServer } from "@hongyan/testkit/postgres";
import { Client } from "pg";

/**
 * Databases that look new to a store. To make one costs half a second; one that was used before is emptied, and gets
 * another epoch, in some milliseconds.
 */
export class Databases {
  readonly #server: PostgresServer;
  readonly #free: string[] = [];

  constructor(server: PostgresServer) {
    this.#server = server;
  }

  async take(): Promise<string> {
    return this.#free.pop() ?? this.#server.createDatabase("STRATEGY file_copy");
  }

  async giveBack(url: string): Promise<void> {
    await query(
      url,
      `DELETE FROM hongyan.logs; DELETE FROM hongyan.entries; DELETE FROM hongyan.cursors;
       DELETE FROM hongyan.records; UPDATE hongyan.meta SET epoch = gen_random_uuid()`,
    );
    this.#free.push(url);
  }
}

/** Runs SQL over a connection of its own; answers the rows of the last statement. */
export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client(url);
  await client.connect();
  try {
    const answer: unknown = await client.query(text);
    const last = Array.isArray(answer) ? answer.at(-1) : answer;
    return last.rows;
  } finally {
    await client.end();
  }
}
