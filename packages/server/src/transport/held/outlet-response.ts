import type { ServerResponse } from "node:http";

/** What the events of a waiting response are handed to. */
export interface ResponseOwner {
  /** The response is finished, or its client has gone. */
  onResponseClose(): void;
  /** There is room again. */
  onResponseDrain(): void;
}

const owner = Symbol("owner");

interface OwnedResponse extends ServerResponse {
  [owner]?: ResponseOwner;
}

/** Hands the events of `response` to `to`, through listeners that all responses share. */
export function ownResponse(response: ServerResponse, to: ResponseOwner): void {
  (response as OwnedResponse)[owner] = to;
  response.on("close", onClose);
  response.on("drain", onDrain);
  response.on("error", onError);
}

function onClose(this: OwnedResponse): void {
  this[owner]?.onResponseClose();
}

function onDrain(this: OwnedResponse): void {
  this[owner]?.onResponseDrain();
}

/** `close` follows and does the work. */
function onError(): void {}
