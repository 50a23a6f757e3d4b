/**
 * Subjects of the port as tokens of NATS. A subject of the port is any text; a token of NATS must not be empty or hold
 * white space, dots or wildcards, and whole subjects have to fit into its lines. Two subjects never share a token, or
 * one user would see another's events (G10).
 */
import { createHash } from "node:crypto";

/** Room for two ids of 64 characters and the slash between them, with some of them escaped. */
const tokenLengthMax = 160;
const plain = /^[A-Za-z0-9_@+=/-]+$/;
const special = /[^A-Za-z0-9_@+=/-]/g;

/**
 * The token of a subject: the subject itself where it is plain, so that an operator can read it; other characters
 * become `%2e` or `%u9e3f`, by UTF-16 unit, so that text that is not well-formed is told apart too. What would be too
 * long, or empty, becomes `~` and its SHA-256: no other token begins so.
 */
export function subjectToken(subject: string): string {
  if (subject.length <= tokenLengthMax) {
    if (plain.test(subject)) return subject;
    const text = subject.replace(special, escaped);
    if (text.length > 0 && text.length <= tokenLengthMax) return text;
  }
  const digest = createHash("sha256").update(Buffer.from(subject, "utf16le"));
  return `~${digest.digest("base64url")}`;
}

function escaped(character: string): string {
  const unit = character.charCodeAt(0);
  return unit < 0x80 ? `%${hex(unit, 2)}` : `%u${hex(unit, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
