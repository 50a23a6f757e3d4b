/**
 * A message as it lies in the log. The entry's body is what the sender said and nothing else, so that two sends
 * of one client message id are equal exactly if their bytes are:
 *
 *     u8 length, sender │ u16 length, client message id │ u8 length, message type │ body
 *
 * The seq and the time belong to the entry.
 */
import { ByteWriter, decodeUtf8, SharedFrame } from "@hongyan/protocol";
import type { Message } from "./backend.ts";
import type { Entry } from "./ports.ts";

/** Message types of the server itself begin with this. Entries of such a type never count as unread. */
export const systemPrefix = "hongyan.";

export function isSystemType(messageType: string | undefined): boolean {
  return messageType?.startsWith(systemPrefix) === true;
}

const scratch = new ByteWriter();
const utf8 = new TextEncoder();

/** Copies everything into memory of its own: the command's body belongs to the transport. */
export function encodeMessage(
  from: string,
  clientMessageId: string,
  messageType: string | undefined,
  body: Uint8Array,
): Uint8Array {
  const id = utf8Length(clientMessageId);
  const type = messageType === undefined ? 0 : utf8Length(messageType);
  scratch.begin();
  scratch.byte(from.length);
  scratch.utf8(from);
  scratch.byte(id >> 8);
  scratch.byte(id & 0xff);
  scratch.utf8(clientMessageId);
  scratch.byte(type);
  if (messageType !== undefined) scratch.utf8(messageType);
  scratch.append(body);
  return scratch.take();
}

function utf8Length(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return utf8.encode(text).length;
  return text.length;
}

/** Where the sender's bytes of an entry begin. */
export function bodyOffset(entry: Uint8Array): number {
  const idAt = 1 + byteAt(entry, 0);
  const typeAt = idAt + 2 + (byteAt(entry, idAt) << 8) + byteAt(entry, idAt + 1);
  return typeAt + 1 + byteAt(entry, typeAt);
}

export function decodeMessage(conversation: string, entry: Entry): Message {
  const bytes = entry.body;
  const idAt = 1 + byteAt(bytes, 0);
  const typeAt = idAt + 2 + (byteAt(bytes, idAt) << 8) + byteAt(bytes, idAt + 1);
  const bodyAt = typeAt + 1 + byteAt(bytes, typeAt);
  return {
    conversation,
    seq: entry.seq,
    from: decodeUtf8(bytes, 1, idAt),
    time: entry.time,
    clientMessageId: decodeUtf8(bytes, idAt + 2, typeAt),
    messageType: bodyAt === typeAt + 1 ? undefined : decodeUtf8(bytes, typeAt + 1, bodyAt),
    body: bytes.subarray(bodyAt),
  };
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

/** The message as a `message` frame: a push with id 0, or an item of the command `id`. */
export function messageFrame(message: Message, id: number): SharedFrame {
  return new SharedFrame({
    type: "message",
    id,
    conversation: message.conversation,
    seq: message.seq,
    from: message.from,
    time: message.time,
    clientMessageId: message.clientMessageId,
    messageType: message.messageType,
    body: message.body,
  });
}

/**
 * Splits a client message id into the producer and the number of the store's idempotency key. `<prefix>:<n>` is
 * numbered; any other id is a producer of its own with number 0. The leading letter keeps the two kinds apart.
 */
export function idempotencyKey(from: string, clientMessageId: string): { producer: string; number: number } {
  const colon = clientMessageId.lastIndexOf(":");
  const digits = clientMessageId.length - colon - 1;
  if (colon > 0 && digits > 0 && digits <= 15) {
    let number = 0;
    let i = colon + 1;
    for (; i < clientMessageId.length; i++) {
      const digit = clientMessageId.charCodeAt(i) - 48;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    const leadingZero = digits > 1 && clientMessageId.charCodeAt(colon + 1) === 48;
    if (i === clientMessageId.length && !leadingZero) {
      return { producer: `n${from}/${clientMessageId.slice(0, colon)}`, number };
    }
  }
  return { producer: `u${from}/${clientMessageId}`, number: 0 };
}
