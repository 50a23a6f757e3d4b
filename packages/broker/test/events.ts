import type { NodeEvent } from "@hongyan/core";
import { SharedFrame } from "@hongyan/protocol";

/** A message whose client message id is `name`. */
export function messageEvent(name: string, body = new Uint8Array([1, 2, 3])): NodeEvent {
  const frame = new SharedFrame({
    type: "message",
    id: 0,
    conversation: "alice:bob",
    seq: 1,
    from: "bob",
    time: 1_800_000_000_000,
    clientMessageId: name,
    messageType: undefined,
    body,
  });
  return { kind: "message", conversation: "alice:bob", seq: 1, frame, exceptSession: undefined };
}

/** The client message id of a message; the kind of anything else. */
export function nameOf(event: NodeEvent): string {
  return event.kind === "message" && event.frame.frame.type === "message"
    ? event.frame.frame.clientMessageId
    : event.kind;
}
