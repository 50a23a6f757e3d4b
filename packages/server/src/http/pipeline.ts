import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * Requests of one socket that may wait for their answers to be taken. Browsers and proxies send one at a time; whoever
 * sends hundreds and reads nothing would fill the memory with answers (G8).
 */
const unansweredMax = 16;

const unanswered = new WeakMap<Socket, number>();

/** False where the socket has sent too many at once: it is ended, and so are they. */
export function isInTurn({ socket }: IncomingMessage, response: ServerResponse): boolean {
  if (socket.destroyed) return false;
  const count = (unanswered.get(socket) ?? 0) + 1;
  if (count > unansweredMax) {
    socket.destroy();
    return false;
  }
  unanswered.set(socket, count);
  response.on("close", answered);
  return true;
}

function answered(this: ServerResponse): void {
  const { socket } = this.req;
  unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1);
}
