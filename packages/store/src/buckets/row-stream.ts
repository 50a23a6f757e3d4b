import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import type { ServerConnection } from "./server-connection.ts";

/**
 * Passes rows from one server to another as they are, in PostgreSQL's binary format, no faster than the other takes
 * them: it needs the memory of some chunks, however many rows there are. Answers how many. Where it rejects, both
 * connections are cut: what is under way over them does not end otherwise.
 */
export async function passRows(
  from: { readonly server: ServerConnection; readonly query: string },
  to: { readonly server: ServerConnection; readonly table: string },
  options: { readonly signal: AbortSignal; readonly passed: (bytes: number) => void },
): Promise<number> {
  const source = from.server.client.query(copyTo(`COPY (${from.query}) TO STDOUT (FORMAT binary)`));
  const target = to.server.client.query(copyFrom(`COPY ${to.table} FROM STDIN (FORMAT binary)`));
  const counter = new Transform({
    transform(chunk: Buffer, _, done) {
      options.passed(chunk.length);
      done(null, chunk);
    },
  });
  try {
    await pipeline(source, counter, target, { signal: options.signal });
  } catch (error) {
    from.server.abandon();
    to.server.abandon();
    throw error;
  }
  return target.rowCount;
}
