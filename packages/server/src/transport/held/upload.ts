import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { BadFrame, type Encoding, limits, objectToFrame, ProtocolError, readFrames } from "@hongyan/protocol";
import type { ByteBudget } from "../byte-budget.ts";
import { framesIn } from "../frame-count.ts";
import type { Uploaded } from "./held-connection.ts";

export interface UploadLimits {
  readonly uploadBytesMax: number;
  /** For all uploads that have not arrived completely. */
  readonly budget: ByteBudget;
}

/** The body of a request; or why it was not taken. A client that went away before the end gets neither. */
export type Body = { readonly bytes: Uint8Array } | { readonly refused: ProtocolError };

/** Reads the body of `request`, never more than is allowed. Calls `done` at most once. */
export function readBody(request: IncomingMessage, limit: UploadLimits, done: (body: Body) => void): void {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > limit.uploadBytesMax) return done({ refused: tooLarge(limit.uploadBytesMax) });
  let bytes = new Uint8Array(0);
  let filled = 0;
  let isDone = false;
  const finish = (body: Body | undefined): void => {
    if (isDone) return;
    isDone = true;
    limit.budget.give(bytes.length);
    request.off("data", onData);
    if (body !== undefined) done(body);
  };
  // Pieces are copied together, so that tiny ones cost no more than their bytes.
  const onData = (chunk: Uint8Array): void => {
    const needed = filled + chunk.length;
    if (needed > limit.uploadBytesMax) return finish({ refused: tooLarge(limit.uploadBytesMax) });
    if (needed > bytes.length) {
      const capacity = Math.min(Math.max(needed, bytes.length * 2), limit.uploadBytesMax);
      if (!limit.budget.take(capacity - bytes.length)) {
        return finish({
          refused: new ProtocolError("overloaded", "too many unfinished uploads at this server", 5000),
        });
      }
      const grown = new Uint8Array(capacity);
      grown.set(bytes.subarray(0, filled));
      bytes = grown;
    }
    bytes.set(chunk, filled);
    filled = needed;
  };
  request.on("data", onData);
  request.on("end", () => finish({ bytes: bytes.subarray(0, filled) }));
  request.on("error", () => finish(undefined));
  request.on("close", () => finish(undefined));
}

/** The frames of an upload: all of them or, where the bytes are not the protocol, none. */
export interface Upload {
  readonly encoding: Encoding;
  readonly frames: readonly Uploaded[];
}

/** Throws `ProtocolError`; undefined where the content type is not spoken here. */
export function decodeUpload(contentType: string | undefined, bytes: Uint8Array): Upload | undefined {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === "application/json") return { encoding: "text", frames: jsonFrames(bytes) };
  if (type === "application/octet-stream") return binaryFrames(bytes);
  return undefined;
}

function jsonFrames(bytes: Uint8Array): Uploaded[] {
  if (!isUtf8(bytes)) throw new ProtocolError("bad_frame", "text is not well-formed UTF-8");
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
  } catch {
    throw new ProtocolError("bad_frame", "not valid JSON");
  }
  const objects = Array.isArray(value) ? value : [value];
  if (objects.length > limits.framesPerMessageMax) throw tooMany();
  return objects.map(jsonFrame);
}

function jsonFrame(object: unknown): Uploaded {
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    throw new ProtocolError("bad_frame", "expected a JSON object or an array of them");
  }
  try {
    return objectToFrame(object as Record<string, unknown>);
  } catch (error) {
    if (error instanceof BadFrame && !error.fatal) return error;
    throw error;
  }
}

function binaryFrames(bytes: Uint8Array): Upload {
  if (framesIn(bytes) > limits.framesPerMessageMax) throw tooMany();
  const frames: Uploaded[] = [];
  let encoding: Encoding | undefined;
  let fatal: BadFrame | undefined;
  readFrames(bytes, {
    frame(decoded) {
      encoding ??= decoded.codec.name as Encoding;
      frames.push(decoded.frame);
    },
    bad(error) {
      if (error.fatal) fatal = error;
      else frames.push(error);
    },
  });
  if (fatal !== undefined) throw fatal;
  return { encoding: encoding ?? "json", frames };
}

function tooLarge(bytesMax: number): ProtocolError {
  return new ProtocolError("too_large", `an upload may have at most ${bytesMax} bytes`);
}

function tooMany(): ProtocolError {
  return new ProtocolError("too_large", `an upload may have at most ${limits.framesPerMessageMax} frames`);
}
