/** A Markdown table; bars in cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

/** A number with as many digits as people read. */
export function number(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en");
  return `${Number(value.toPrecision(3))}`;
}

export function milliseconds(value: number | undefined): string {
  return value === undefined ? "" : number(value);
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** An exponent: two decimals, and no zero with a sign. */
export function exponent(value: number): string {
  return (Math.round(value * 100) / 100 + 0).toFixed(2);
}
