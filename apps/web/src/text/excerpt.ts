/** A message longer than this is shown cut, with a button for the rest: one message cannot fill the page. */
const charactersMax = 2_000;
const linesMax = 30;
/** One that was not sent is shown to be recognized, not to be read. */
const failedCharactersMax = 240;
const failedLinesMax = 4;

/** The beginning of a long text, cut between characters; a text of usual length as it is. */
export function excerpt(text: string, isFailed = false): string {
  const [charactersAt, linesAt] = isFailed
    ? [failedCharactersMax, failedLinesMax]
    : [charactersMax, linesMax];
  let end = text.length <= charactersAt * 1.2 ? text.length : charactersAt;
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) {
    lines++;
    if (lines === linesAt) end = at;
  }
  // A pair of surrogates is one character: cutting it would show a replacement mark.
  const unit = text.charCodeAt(end - 1);
  if (end < text.length && unit >= 0xd800 && unit <= 0xdbff) end--;
  return text.slice(0, end);
}
