import { parseAddress } from "./address.ts";
import { connectError } from "./errors.ts";
import { Writer } from "./writer.ts";

/** One statement may go through all rows of a table, and whoever brings or takes the data may be slow. */
const msMax = 10 * 60_000;

export interface CopyConnection {
  /** For messages: without user and password. */
  readonly place: string;
  readonly writer: Writer;
  /** Passes a result on; an error because the connection has ended becomes `unreachable`. */
  told<T>(result: Promise<T>): Promise<T>;
}

/** A connection for what takes long. Where `prepare` rejects, it is closed. Rejects with `StoreError`. */
export async function openCopyConnection<T>(
  url: string,
  prepare: (connection: CopyConnection) => Promise<T>,
): Promise<T> {
  const { config, place } = parseAddress(url);
  let writer: Writer | undefined;
  // What runs over a connection that breaks is rejected, but not with the reason.
  let broken: unknown;
  const told = <R>(result: Promise<R>): Promise<R> =>
    result.catch((error: unknown) => {
      throw broken === undefined ? error : connectError(broken, place);
    });
  try {
    writer = await Writer.connect({ ...config, query_timeout: msMax }, (error) => {
      broken ??= error;
    });
    await writer.client.query(
      `SET statement_timeout = ${msMax}; SET idle_in_transaction_session_timeout = ${msMax}`,
    );
    return await prepare({ place, writer, told });
  } catch (error) {
    await writer?.close();
    throw connectError(error, place);
  }
}

/** The same for one piece of work: it is closed in any case. */
export function overCopyConnection<T>(
  url: string,
  work: (connection: CopyConnection) => Promise<T>,
): Promise<T> {
  return openCopyConnection(url, async (connection) => {
    const result = await work(connection);
    await connection.writer.close();
    return result;
  });
}
