import type { Socket } from "node:net";

/** What a socket's events are handed to. */
export interface SocketOwner {
  onData(chunk: Buffer): void;
  /** The socket's buffer has room again. */
  onSocketDrain(): void;
  /** The peer has finished writing. */
  onEnd(): void;
  /** The socket is gone; nothing follows. */
  onSocketClose(): void;
}

const owner = Symbol("owner");

interface OwnedSocket extends Socket {
  [owner]?: SocketOwner;
}

/**
 * Hands the events of `socket` to `to`. The listeners are the same functions for all sockets and find the owner on
 * the socket: no closures per connection.
 */
export function own(socket: Socket, to: SocketOwner): void {
  (socket as OwnedSocket)[owner] = to;
  socket.on("data", onData);
  socket.on("drain", onDrain);
  socket.on("end", onEnd);
  socket.on("error", onError);
  socket.on("close", onClose);
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[owner]?.onData(chunk);
}

function onDrain(this: OwnedSocket): void {
  this[owner]?.onSocketDrain();
}

function onEnd(this: OwnedSocket): void {
  this[owner]?.onEnd();
}

/** `close` follows every error and does the work; without a listener the process would end. */
function onError(): void {}

function onClose(this: OwnedSocket): void {
  const former = this[owner];
  this[owner] = undefined;
  former?.onSocketClose();
}
