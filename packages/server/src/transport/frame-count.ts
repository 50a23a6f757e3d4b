import { limits } from "@hongyan/protocol";

/**
 * How many frames a message or an upload has at most. Only one that is long enough for too many is counted; where a
 * length lies the count ends, and the reader will say so.
 */
export function framesIn(bytes: Uint8Array): number {
  if (bytes.length < limits.framesPerMessageMax * limits.headerBytes) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let frames = 0;
  for (let at = 0; at + 4 <= bytes.length; at += 4 + view.getUint32(at)) frames++;
  return frames;
}
