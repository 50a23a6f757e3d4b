/** What a node says on the subject of its name: JSON, to which a release may add fields. */
export interface NameWord {
  /** Of this life of the node. */
  readonly id: string;
  /** Where it runs, for people. */
  readonly host: string;
  /** It has the name; otherwise it wants to. */
  readonly isRunning: boolean;
}

const bytesMax = 4096;
const idLengthMax = 64;
const hostLengthMax = 255;

export function writeNameWord({ id, host, isRunning }: NameWord): Uint8Array {
  return Buffer.from(JSON.stringify({ id, host: host.slice(0, hostLengthMax), isRunning }));
}

/** Undefined where it is none. */
export function readNameWord(bytes: Uint8Array): NameWord | undefined {
  if (bytes.length > bytesMax) return undefined;
  try {
    const { id, host, isRunning } = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    if (typeof id !== "string" || id.length > idLengthMax) return undefined;
    if (typeof host !== "string" || host.length > hostLengthMax) return undefined;
    return typeof isRunning === "boolean" ? { id, host, isRunning } : undefined;
  } catch {
    return undefined;
  }
}
