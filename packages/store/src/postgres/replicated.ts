import type { ClientBase } from "pg";

/** `WARNING`, as PostgreSQL numbers it. */
const warningCode = "01000";

/**
 * Runs what ends in a commit, over a connection that does nothing else meanwhile. Rejects where the server was told to
 * wait no longer for its synchronous standby (`pg_cancel_backend`; `statement_timeout` under COMMIT PREPARED): it answers
 * as if all were well, but for a warning, and a failover may lose what it has committed (G1).
 */
export async function replicated<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  let warning: string | undefined;
  const listen = ({
    code,
    message,
  }: {
    readonly code?: string | undefined;
    readonly message?: string | undefined;
  }) => {
    if (code === warningCode) warning = message ?? "";
  };
  client.on("notice", listen);
  try {
    const answer = await work();
    if (warning !== undefined) throw new Error(`It is not known to be on the standby: ${warning}`);
    return answer;
  } finally {
    client.off("notice", listen);
  }
}
