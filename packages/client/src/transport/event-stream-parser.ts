/** Cuts the text of an event stream into events, as the HTML standard says, as far as `id` and `data` go. */
export class EventStreamParser {
  readonly #event: (id: string, data: string) => void;
  #rest = "";
  #id = "";
  #data: string[] = [];

  constructor(event: (id: string, data: string) => void) {
    this.#event = event;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split("\n");
    // A line ends with \n or \r\n: a lone \r is not used by servers of this protocol.
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  #line(line: string): void {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return; // A comment: a sign of life.
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "id") this.#id = value;
    else if (name === "data") this.#data.push(value);
  }

  #dispatch(): void {
    if (this.#data.length > 0) this.#event(this.#id, this.#data.join("\n"));
    this.#data = [];
  }
}
