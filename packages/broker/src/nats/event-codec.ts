/**
 * What nodes tell each other, as bytes:
 *
 *     u8 kind │ fields of the kind            text: u16 length, UTF-8 │ position: f64 │ all big-endian
 *
 * A message travels as its frame in MessagePack, which local receivers need as well: encoded once, its body copied and
 * never looked into. Kinds that a node does not know are skipped, so a release may add one.
 */
import type { NodeEvent } from "@hongyan/core";
import {
  ByteWriter,
  decodeFrame,
  type FrameNamed,
  isConversationId,
  isId,
  SharedFrame,
} from "@hongyan/protocol";
import { ByteReader, Malformed } from "./byte-reader.ts";

const kinds = {
  message: 1,
  receipt: 2,
  conversation: 3,
  kick: 4,
  behind: 5,
  claimed: 6,
  online: 7,
  whereabouts: 8,
} as const;
/** Sessions that had a device before: no node names more. */
const beforeMax = 64;

const out = new ByteWriter();
const behind = Uint8Array.of(kinds.behind);

/** A message that exceeds `bytesMax` says only that there is something to read; all other events are small. */
export function encodeEvent(event: NodeEvent, bytesMax: number): Uint8Array {
  out.begin();
  out.byte(kinds[event.kind]);
  switch (event.kind) {
    case "message": {
      const frame = event.frame.bytes("messagepack");
      const { exceptSession = "" } = event;
      if (1 + textBytesMax(exceptSession) + frame.length > bytesMax) return behind;
      writeText(exceptSession);
      out.append(frame);
      break;
    }
    case "receipt":
      writeText(event.conversation);
      writeText(event.user);
      writePosition(event.delivered);
      writePosition(event.read);
      break;
    case "conversation":
      writeText(event.conversation);
      writePosition(event.seq);
      break;
    case "claimed":
      writeText(event.device);
      writeText(event.session);
      out.byte(event.before.length);
      for (const session of event.before) writeText(session);
      writePosition(event.version);
      break;
    case "kick":
      writeText(event.device ?? "");
      break;
    case "online":
      writeText(event.domain);
      writeText(event.node);
      writePosition(event.turn);
      out.byte(event.online ? 1 : 0);
      out.byte(event.users.length);
      for (const user of event.users) writeText(user);
      break;
    case "whereabouts":
      writeText(event.node);
      break;
    case "behind":
      break;
  }
  return out.take();
}

/**
 * The event in `bytes`, undefined where its kind is not known. Throws whatever is wrong: what comes from here goes into
 * keys of the store and to clients, so that it is checked like a command.
 */
export function decodeEvent(bytes: Uint8Array): NodeEvent | undefined {
  const reader = new ByteReader(bytes);
  switch (reader.byte()) {
    case kinds.message: {
      const exceptSession = reader.text();
      // A copy: a view would keep what the socket read, 64 KiB, for as long as the message waits in somebody's outbox.
      const frame = decodeMessageFrame(Buffer.from(reader.rest()));
      return {
        kind: "message",
        conversation: frame.conversation,
        seq: frame.seq,
        frame: new SharedFrame(frame),
        exceptSession: exceptSession === "" ? undefined : exceptSession,
      };
    }
    case kinds.receipt:
      return {
        kind: "receipt",
        conversation: checked(reader.text(), isConversationId),
        user: checked(reader.text(), isId),
        delivered: reader.position(),
        read: reader.position(),
      };
    case kinds.conversation:
      return {
        kind: "conversation",
        conversation: checked(reader.text(), isConversationId),
        seq: reader.position(),
      };
    case kinds.claimed:
      return {
        kind: "claimed",
        device: checked(reader.text(), isId),
        session: reader.text(),
        before: texts(reader),
        version: reader.position(),
      };
    case kinds.kick: {
      const device = reader.text();
      return { kind: "kick", device: device === "" ? undefined : checked(device, isId) };
    }
    case kinds.online:
      return {
        kind: "online",
        domain: checked(reader.text(), isId),
        node: checked(reader.text(), isId),
        turn: reader.position(),
        online: reader.byte() === 1,
        users: Array.from({ length: reader.byte() }, () => checked(reader.text(), isId)),
      };
    case kinds.whereabouts:
      return { kind: "whereabouts", node: checked(reader.text(), isId) };
    case kinds.behind:
      return { kind: "behind" };
    default:
      return undefined;
  }
}

function decodeMessageFrame(bytes: Uint8Array): FrameNamed<"message"> {
  const { frame } = decodeFrame(bytes, 0, bytes.length);
  if (frame.type !== "message" || frame.id !== 0) throw new Malformed("not a pushed message");
  // The codec leaves the length of the whole to whoever cuts a stream into frames.
  if (new ByteReader(bytes).uint32() !== bytes.length - 4) throw new Malformed("not one frame");
  checked(frame.conversation, isConversationId);
  return frame;
}

function texts(reader: ByteReader): string[] {
  const count = reader.byte();
  if (count > beforeMax) throw new Malformed("too many sessions");
  return Array.from({ length: count }, () => reader.text());
}

function checked(text: string, isRight: (text: string) => boolean): string {
  if (!isRight(text)) throw new Malformed("not an id");
  return text;
}

function textBytesMax(text: string): number {
  return 2 + text.length * 3;
}

function writeText(text: string): void {
  // Reserved before, so that the place of the length does not move while the text is written.
  out.reserve(textBytesMax(text));
  const at = out.position;
  out.position += 2;
  const length = out.utf8(text);
  if (length > 0xffff) throw new RangeError("a text of an event exceeds 65,535 bytes");
  out.view.setUint16(at, length);
}

function writePosition(value: number): void {
  out.reserve(8);
  out.view.setFloat64(out.position, value);
  out.position += 8;
}
