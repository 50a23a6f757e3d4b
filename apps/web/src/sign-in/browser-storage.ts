import type { KeyValues } from "./accounts.ts";

/** A storage of the browser, or one that lasts as long as the page where the browser refuses it. */
export function browserStorage(name: "localStorage" | "sessionStorage"): KeyValues {
  try {
    return window[name];
  } catch {
    return memoryStorage();
  }
}

export function memoryStorage(): KeyValues {
  const values = new Map<string, string>();
  return {
    get length() {
      return values.size;
    },
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
    key: (index) => [...values.keys()][index] ?? null,
  };
}
