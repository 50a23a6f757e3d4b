import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { controlPath, isNobody } from "./control.ts";
import type { MigrationProgress, MigrationReply, MigrationRequest, MigrationResult } from "./request.ts";

/**
 * Asks the server that has the directory. Undefined: there is none. Rejects with what it says, and where it ends before
 * it has answered.
 */
export async function callServer(
  data: string,
  request: MigrationRequest,
  report: (progress: MigrationProgress) => void,
): Promise<MigrationResult | undefined> {
  const socket = connect(controlPath(data));
  try {
    await once(socket, "connect");
  } catch (error) {
    if (isNobody(error)) return undefined;
    throw error;
  }
  try {
    socket.on("error", () => {});
    const lines = createInterface({ input: socket });
    socket.on("close", () => lines.close());
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const line of lines) {
      const reply = JSON.parse(line) as MigrationReply;
      if ("error" in reply) throw new Error(reply.error);
      if ("result" in reply) return reply.result;
      report(reply.progress);
    }
    throw new Error("the server has ended; what was copied is kept: start it, and ask again");
  } finally {
    socket.destroy();
  }
}
