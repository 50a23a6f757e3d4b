/** What somebody wrote, as a message repeats it: a line stays a line, however much was written. */
export function shortened(text: string): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}…`;
}

/** The same in quotes, in which characters that do not print are visible. */
export function quoted(text: string): string {
  return JSON.stringify(shortened(text));
}

const lengthMax = 100;
