/** What the rules need to know about a file, found without a compiler: its imports, and its code without words. */

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** `import type`, `export type`: gone at run time. */
  readonly typeOnly: boolean;
}

export interface Source {
  readonly imports: readonly Import[];
  /** The code with comments and the inside of strings blanked; lines are where they were. */
  readonly code: string;
}

const statement =
  /(?<![.\w$])(import|export)\s+(type\b(?!\s*(?:,|from\b)))?[^;"'`=()]*?\bfrom\s*(["'])([^"'\n]*)\3|(?<![.\w$])import\s*(["'])([^"'\n]*)\5|(?<![.\w$])import\s*\(\s*(["'])([^"'\n]*)\7/g;

export function readSource(text: string): Source {
  const uncommented = blank(text, false);
  const code = blank(text, true);
  const imports: Import[] = [];
  for (const match of uncommented.matchAll(statement)) {
    const specifier = match[4] ?? match[6] ?? match[8];
    // Inside of a string it is only words about an import.
    if (specifier === undefined || code[match.index] === " ") continue;
    const before = uncommented.slice(0, match.index);
    imports.push({
      specifier,
      line: before.split("\n").length,
      typeOnly: match[2] !== undefined || onlyTypesNamed(match[0]),
    });
  }
  return { imports, code };
}

/** `import { type A, type B } from`: nothing of it is left at run time. */
function onlyTypesNamed(text: string): boolean {
  const names = /^(?:import|export)\s*\{([^}]*)\}/.exec(text)?.[1];
  if (names === undefined) return false;
  const list = names
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return list.length > 0 && list.every((name) => name.startsWith("type "));
}

type Inside = "code" | "line comment" | "block comment" | "'" | '"' | "template" | "regex";

/**
 * Replaces comments (and with `strings` the inside of strings and regular expressions) by spaces. Code inside of
 * `${}` in a template stays code. JSX text with an apostrophe ends at its line, as a string does.
 */
function blank(text: string, strings: boolean): string {
  const out: string[] = [];
  /** Depth of braces at which each open template continues. */
  const templates: number[] = [];
  let inside: Inside = "code";
  let depth = 0;
  let bracket = false;
  let last = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    const next = text[i + 1];
    let keep = true;
    switch (inside) {
      case "code":
        if (char === "/" && next === "/") inside = "line comment";
        else if (char === "/" && next === "*") inside = "block comment";
        else if (char === "'" || char === '"') inside = char;
        else if (char === "`") inside = "template";
        else if (char === "/" && startsRegex(last)) inside = "regex";
        else if (char === "{") depth++;
        else if (char === "}") {
          if (templates.at(-1) === depth) {
            templates.pop();
            inside = "template";
          }
          depth--;
        }
        keep = inside !== "line comment" && inside !== "block comment";
        if (!/\s/.test(char) && keep) last = (last + char).slice(-12);
        else if (/\s/.test(char) && /\w$/.test(last)) last += " ";
        break;
      case "line comment":
        if (char === "\n") inside = "code";
        keep = char === "\n";
        break;
      case "block comment":
        if (char === "*" && next === "/") {
          inside = "code";
          out.push(" ");
          i++;
        }
        keep = char === "\n";
        break;
      case "regex":
        if (char === "\\") {
          out.push(strings ? " " : char);
          i++;
          out.push(strings ? " " : (next ?? ""));
          continue;
        }
        if (char === "[") bracket = true;
        else if (char === "]") bracket = false;
        if ((char === "/" && !bracket) || char === "\n") inside = "code";
        keep = !strings || inside === "code";
        break;
      case "template":
        if (char === "\\") {
          out.push(strings ? " " : char, strings && next !== "\n" ? " " : (next ?? ""));
          i++;
          continue;
        }
        if (char === "`") inside = "code";
        else if (char === "$" && next === "{") {
          depth++;
          templates.push(depth);
          inside = "code";
          out.push(char, "{");
          i++;
          last = "{";
          continue;
        }
        keep = !strings || char === "\n" || inside === "code";
        break;
      default:
        if (char === "\\") {
          out.push(strings ? " " : char, strings ? " " : (next ?? ""));
          i++;
          continue;
        }
        if (char === inside || char === "\n") inside = "code";
        keep = !strings || inside === "code";
    }
    out.push(keep ? char : " ");
  }
  return out.join("");
}

/** Whether a slash after this begins a regular expression, not a division. */
function startsRegex(last: string): boolean {
  const trimmed = last.trimEnd();
  return (
    trimmed === "" ||
    /[(,=:[!&|?{};+\-*%~^<>]$/.test(trimmed) ||
    /\b(return|typeof|case|in|of|do|else|void|delete)$/.test(trimmed)
  );
}
