import { type Encoding, limits, type SharedFrame } from "@hongyan/protocol";
import { copyBytesMax, isFrame, type Outgoing, type Packing } from "../packing.ts";
import { frameHeader, jsonMessage, messagePackMessage, opcode, textMessage } from "./wire.ts";

/** Payload of one message into which frames are merged. */
const mergedBytesMax = 64 * 1024;

/** Keys of the wrapped bytes in a `SharedFrame`. */
const wrapKey = { text: 0, json: 1, messagepack: 2 } as const satisfies Record<Encoding, number>;
const wrap = { text: textMessage, json: jsonMessage, messagepack: messagePackMessage } as const;

/**
 * Alone, a frame is one message, whose bytes are built once and shared by all its receivers. Binary frames that go
 * out in the same tick travel in one message: fewer bytes, and one event instead of many at the receiver. In text
 * mode a message is one frame.
 */
export const webSocketPacking: Packing = {
  single(frame, encoding) {
    return frame.wrapped(wrapKey[encoding], wrap[encoding]);
  },

  several(items, encoding) {
    const pieces: Uint8Array[] = [];
    for (let i = 0; i < items.length; ) {
      const item = items[i] as Outgoing;
      const end = encoding !== "text" && isFrame(item) ? runEnd(items, i, encoding) : i + 1;
      if (end - i > 1) appendMerged(pieces, items, i, end, encoding);
      else pieces.push(isFrame(item) ? this.single(item, encoding) : item);
      i = end;
    }
    return pieces;
  },
};

/** Where the frames end that can travel in one message with the one at `from`. */
function runEnd(items: readonly Outgoing[], from: number, encoding: Encoding): number {
  const last = Math.min(items.length, from + limits.framesPerMessageMax);
  let bytes = 0;
  for (let i = from; i < last; i++) {
    const item = items[i] as Outgoing;
    if (!isFrame(item)) return i;
    const size = item.bytes(encoding).length;
    bytes += size;
    if (size >= copyBytesMax || bytes > mergedBytesMax) return Math.max(i, from + 1);
  }
  return last;
}

function appendMerged(
  pieces: Uint8Array[],
  items: readonly Outgoing[],
  from: number,
  to: number,
  encoding: Encoding,
): void {
  const header = pieces.push(new Uint8Array(0)) - 1;
  let bytes = 0;
  for (let i = from; i < to; i++) {
    const piece = (items[i] as SharedFrame).bytes(encoding);
    bytes += piece.length;
    pieces.push(piece);
  }
  pieces[header] = frameHeader(opcode.binary, bytes);
}
