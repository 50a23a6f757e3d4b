import { limits, ProtocolError } from "@hongyan/protocol";

/** Well-formed Unicode without control characters: what can be shown on one line, and is the same in every codec. */
export function isPlainText(text: string, lengthMax: number): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused here.
  return text.length <= lengthMax && text.isWellFormed() && !/[\x00-\x1f\x7f]/.test(text);
}

/** What a user or a group may be called, at every door. */
export function isName(text: string): boolean {
  return isPlainText(text, limits.nameLengthMax);
}

/** The refusal of a name that is none; undefined where there is no name, or a good one. */
export function refusalOfName(name: string | undefined): ProtocolError | undefined {
  if (name === undefined || isName(name)) return undefined;
  return new ProtocolError(
    "bad_request",
    `a name is up to ${limits.nameLengthMax} characters of well-formed Unicode without control characters`,
  );
}
