/**
 * Randomness of a simulated run. Every part of the world forks its own stream by name, so that a part which draws
 * more or less than before does not change what the others draw: that keeps a shrunk run close to the full one.
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    [this.#a, this.#b, this.#c] = [hash(name, 1), hash(name, 2), hash(name, 3)];
    for (let i = 0; i < 12; i++) this.#next();
  }

  /** A stream of its own; the same name gives the same stream, however much was drawn here. */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.#name}/${name}`);
  }

  /** sfc32: 32 random bits. */
  #next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** In [0, 1). */
  fraction(): number {
    return this.#next() / 0x1_0000_0000;
  }

  /** A whole number in [from, to]. */
  between(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return probability > 0 && this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.fraction() * items.length)] as T;
  }

  /** 22 characters of the alphabet of ids. */
  id(): string {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    let text = "";
    for (let i = 0; i < 22; i++) text += alphabet[this.#next() & 63];
    return text;
  }
}

/** FNV-1a with a final mix. */
function hash(text: string, salt: number): number {
  let value = 0x811c9dc5 ^ Math.imul(salt, 0x9e3779b1);
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return (value ^ (value >>> 13)) >>> 0;
}
