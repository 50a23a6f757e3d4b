import { ByteReader } from "./byte-reader.ts";
import { subjectToken } from "./subject.ts";

/**
 * Subjects in one message, as the members of a group: `u8 length, token` each. In pieces that fit into a message of
 * NATS together with their events.
 */
export interface Recipients {
  readonly pieces: readonly Uint8Array[];
}

/** Encodes lists of subjects, each list once: it is not changed after it was published. */
export class RecipientsEncoder {
  readonly #known = new WeakMap<readonly string[], Recipients>();
  readonly #pieceBytesMax: number;

  constructor(pieceBytesMax: number) {
    this.#pieceBytesMax = pieceBytesMax;
  }

  encode(subjects: readonly string[]): Recipients {
    let known = this.#known.get(subjects);
    if (known === undefined) {
      known = { pieces: this.#pieces(subjects) };
      this.#known.set(subjects, known);
    }
    return known;
  }

  #pieces(subjects: readonly string[]): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let tokens: string[] = [];
    let bytes = 0;
    for (const subject of subjects) {
      const token = subjectToken(subject);
      if (bytes + 1 + token.length > this.#pieceBytesMax) {
        pieces.push(joined(tokens, bytes));
        tokens = [];
        bytes = 0;
      }
      tokens.push(token);
      bytes += 1 + token.length;
    }
    pieces.push(joined(tokens, bytes));
    return pieces;
  }
}

function joined(tokens: readonly string[], length: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const token of tokens) {
    bytes[at++] = token.length;
    at += bytes.write(token, at, "latin1");
  }
  return bytes;
}

/** The tokens of one piece. Throws `Malformed`. */
export function decodeRecipients(bytes: Uint8Array): string[] {
  const reader = new ByteReader(bytes);
  const tokens: string[] = [];
  while (!reader.isAtEnd) tokens.push(reader.latin1(reader.byte()));
  return tokens;
}
