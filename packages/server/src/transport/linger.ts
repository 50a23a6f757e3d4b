import type { Socket } from "node:net";

const sweepEveryMs = 250;

/**
 * Sockets that have said good-bye and wait for the other side to do the same. Whoever takes longer than the
 * allowed time is destroyed. One timer for all of them, and none while there are none.
 */
export class Linger {
  readonly #lingerMs: number;
  /** In the order of their deadlines, which is the order of arrival. */
  readonly #deadlines = new Map<Socket, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(lingerMs = 2000) {
    this.#lingerMs = lingerMs;
  }

  add(socket: Socket): void {
    if (socket.destroyed || this.#deadlines.has(socket)) return;
    this.#deadlines.set(socket, performance.now() + this.#lingerMs);
    this.#timer ??= setInterval(
      () => this.sweep(performance.now()),
      Math.min(sweepEveryMs, this.#lingerMs),
    ).unref();
  }

  remove(socket: Socket): void {
    if (this.#deadlines.delete(socket) && this.#deadlines.size === 0) this.#stop();
  }

  sweep(nowMs: number): void {
    for (const [socket, deadline] of this.#deadlines) {
      if (deadline > nowMs) return;
      this.#deadlines.delete(socket);
      socket.destroy();
    }
    this.#stop();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
