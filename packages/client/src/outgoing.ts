import { isConversationId, isMessageType, limits, ProtocolError } from "@hongyan/protocol";

const utf8 = new TextEncoder();

/** What is to be sent, checked and in memory of its own. Throws `ProtocolError` for what every server would refuse. */
export function outgoing(
  conversation: string,
  body: string | Uint8Array,
  messageType: string | undefined,
): { conversation: string; body: Uint8Array; messageType: string | undefined } {
  if (!isConversationId(conversation)) throw new ProtocolError("bad_request", "not a conversation id");
  if (messageType !== undefined) {
    if (!isMessageType(messageType))
      throw new ProtocolError(
        "bad_request",
        `a message type has at most ${limits.messageTypeLengthMax} characters, none of them a control character`,
      );
    if (messageType.startsWith("hongyan."))
      throw new ProtocolError("bad_request", "message types that begin with hongyan. belong to the server");
  }
  const bytes = typeof body === "string" ? utf8.encode(body) : new Uint8Array(body);
  if (bytes.length > limits.bodyBytesMax)
    throw new ProtocolError("too_large", `a body has at most ${limits.bodyBytesMax} bytes`);
  return { conversation, body: bytes, messageType };
}
