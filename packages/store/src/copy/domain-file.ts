/**
 * A domain as a file:
 *
 *     {"hongyan":"domain","version":1,"domain":"…","epoch":"…","time":…}\n
 *     (length | CRC-32 | part)*              length and CRC-32: int32, big endian; length: of the part
 *     0 | SHA-256 of everything before the 0 | end of the file
 *
 * It is read and written block by block, in the memory of one.
 */
import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { ByteWriter } from "../embedded/bytes.ts";
import type { Part } from "./items.ts";
import { decodePart, encodePart } from "./part-codec.ts";

export interface DomainHeader {
  readonly domain: string;
  /** Of the data that it comes from. */
  readonly epoch: string;
  /** When it was made, in milliseconds since 1970. */
  readonly time: number;
}

/** The file is not what an export makes, or not all of it. */
export class DomainFileError extends Error {
  override readonly name = "DomainFileError";
}

const version = 1;
const headerBytesMax = 4096;
/** A part is about 4 MiB, and more only where one of its items is. */
const blockBytesMax = 64 * 1024 * 1024;
const blockHeaderBytes = 8;
const digestBytes = 32;

/**
 * Makes the file, which must not be there; with its last byte on disk it gets its name. Rejects, and leaves nothing,
 * where writing fails.
 */
export async function writeDomainFile(
  path: string,
  header: DomainHeader,
  parts: AsyncIterable<Part>,
): Promise<void> {
  const unfinished = `${path}.part`;
  await refuseExisting(path);
  // Fails where another export is under way, or was killed.
  const file = await open(unfinished, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    const write = async (bytes: Buffer): Promise<void> => {
      hash.update(bytes);
      await file.writeFile(bytes);
    };
    await write(Buffer.from(`${JSON.stringify({ hongyan: "domain", version, ...header })}\n`));
    const writer = new ByteWriter();
    for await (const part of parts) {
      const block = encodePart(writer, part);
      const head = Buffer.alloc(blockHeaderBytes);
      head.writeUInt32BE(block.length, 0);
      head.writeUInt32BE(crc32(block), 4);
      await write(head);
      await write(block);
    }
    await file.writeFile(Buffer.concat([Buffer.alloc(4), hash.digest()]));
    await file.sync();
    await file.close();
    await rename(unfinished, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await file.close();
    await rm(unfinished, { force: true });
    throw error;
  }
}

async function refuseExisting(path: string): Promise<void> {
  const found = await open(path, "r").catch(() => undefined);
  if (found === undefined) return;
  await found.close();
  throw Object.assign(new Error(`${path} is there already`), { code: "EEXIST" });
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** A file that is being read. Every method rejects with `DomainFileError` where the file is not good. */
export class DomainFile {
  readonly header: DomainHeader;
  readonly #file: FileHandle;
  readonly #headerLine: Buffer;

  static async open(path: string): Promise<DomainFile> {
    const file = await open(path, "r");
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(headerBytesMax), 0, headerBytesMax, 0);
      const end = buffer.subarray(0, bytesRead).indexOf("\n");
      if (end < 0) throw new DomainFileError(`${path} is not an exported domain`);
      const line = buffer.subarray(0, end + 1);
      return new DomainFile(file, line, parseHeader(line.toString(), path));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private constructor(file: FileHandle, headerLine: Buffer, header: DomainHeader) {
    this.#file = file;
    this.#headerLine = headerLine;
    this.header = header;
  }

  /** All parts, and at the end the check that they were all. May be called again. */
  async *parts(): AsyncGenerator<Part> {
    const hash = createHash("sha256").update(this.#headerLine);
    let at = this.#headerLine.length;
    for (;;) {
      const length = (await this.#read(at, 4)).readUInt32BE();
      if (length === 0) break;
      if (length > blockBytesMax) throw damaged(at);
      const head = await this.#read(at, blockHeaderBytes);
      const block = await this.#read(at + blockHeaderBytes, length);
      if (crc32(block) !== head.readUInt32BE(4)) throw damaged(at);
      hash.update(head).update(block);
      yield decoded(block, at);
      at += blockHeaderBytes + length;
    }
    const digest = await this.#read(at + 4, digestBytes);
    const { size } = await this.#file.stat();
    if (Buffer.compare(digest, hash.digest()) !== 0 || size !== at + 4 + digestBytes) throw damaged(at);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #read(at: number, length: number): Promise<Buffer> {
    const { size } = await this.#file.stat();
    // Before memory is taken for what is not there.
    if (at + length > size)
      throw new DomainFileError(`The file ends early: it was cut off after ${size} bytes`);
    const buffer = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#file.read(buffer, done, length - done, at + done);
      if (bytesRead === 0) throw new DomainFileError("The file became shorter while it was read");
      done += bytesRead;
    }
    return buffer;
  }
}

function parseHeader(line: string, path: string): DomainHeader {
  let header: Partial<DomainHeader & { hongyan: unknown; version: unknown }> | null;
  try {
    header = JSON.parse(line);
  } catch {
    header = null;
  }
  const { domain, epoch, time } = header ?? {};
  if (header?.hongyan !== "domain" || typeof domain !== "string" || typeof epoch !== "string")
    throw new DomainFileError(`${path} is not an exported domain`);
  if (header.version !== version)
    throw new DomainFileError(
      `${path} has version ${String(header.version).slice(0, 20)}; this one reads version ${version}`,
    );
  return { domain, epoch, time: Number(time) };
}

function decoded(block: Buffer, at: number): Part {
  try {
    return decodePart(block);
  } catch {
    throw damaged(at);
  }
}

function damaged(at: number): DomainFileError {
  return new DomainFileError(`The file is damaged at byte ${at}`);
}
