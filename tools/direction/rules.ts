/**
 * The direction of the house, as data:
 *
 *     protocol ← core ← store, broker ← server        protocol ← client ← apps        nothing shipped imports testkit
 *
 * A room is a folder; the first whose pattern fits a file is the file's room.
 */

export interface Room {
  readonly name: string;
  readonly files: RegExp;
  /** Rooms that it may import by their package name. */
  readonly imports: readonly string[];
  /** Rooms of which it may import types only: they cost nothing at run time. */
  readonly types?: readonly string[];
  /** Whether it may import `node:` modules. */
  readonly node: boolean;
  /** Whether npm packages may be imported; they must be declared in any case. */
  readonly packages: boolean;
  /** What must not be named in it, and what to use instead. */
  readonly forbidden?: readonly Forbidden[];
  /** Test files may import anything that is declared or belongs to the workspace. */
  readonly test?: boolean;
}

export interface Forbidden {
  readonly pattern: RegExp;
  readonly instead: string;
}

/** Whatever reads a clock, waits, guesses or touches the machine: the simulator could not repeat it. */
const outsideWorld: readonly Forbidden[] = [
  { pattern: /(?<![.\w$])Date\s*(\?\.|\.)\s*now\b/, instead: "Clock.now of ports.ts" },
  { pattern: /(?<![.\w$])new\s+Date\s*(\(\s*\)|[;,)])/, instead: "Clock.now of ports.ts" },
  { pattern: /(?<![.\w$])performance\s*\.\s*now\b/, instead: "Clock.now of ports.ts" },
  {
    pattern: /(?<![.\w$])(setTimeout|setInterval|setImmediate|queueMicrotask)\b/,
    instead: "Clock.defer of ports.ts, or tick()",
  },
  { pattern: /(?<![.\w$])Math\s*\.\s*random\b/, instead: "Random of ports.ts" },
  { pattern: /(?<![.\w$])crypto\s*\./, instead: "Random of ports.ts" },
  { pattern: /(?<![.\w$])process\s*(\?\.|\.|\[)/, instead: "settings or a port" },
  { pattern: /(?<![.\w$])fetch\s*\(/, instead: "a port" },
  { pattern: /(?<![.\w$])globalThis\b/, instead: "a port" },
];

const everything = [
  "protocol",
  "core",
  "store",
  "broker",
  "server",
  "client",
  "testkit",
  "bench",
  "web",
  "tools",
];

export const rooms: readonly Room[] = [
  {
    name: "tests",
    files: /^(packages|apps)\/[^/]+\/test\/|^(test|bench\/test)\//,
    imports: everything,
    node: true,
    packages: true,
    test: true,
  },
  {
    name: "protocol",
    files: /^packages\/protocol\/src\//,
    imports: [],
    node: false,
    packages: false,
    forbidden: outsideWorld,
  },
  {
    name: "core",
    files: /^packages\/core\/src\//,
    imports: ["protocol"],
    node: false,
    packages: false,
    forbidden: outsideWorld,
  },
  // The contract suites are tests that are shipped to whoever writes a store or a broker.
  {
    name: "store",
    files: /^packages\/store\/src\//,
    imports: ["core", "protocol"],
    node: true,
    packages: true,
  },
  {
    name: "broker",
    files: /^packages\/broker\/src\//,
    imports: ["core", "protocol"],
    node: true,
    packages: true,
  },
  {
    name: "server",
    files: /^packages\/server\/src\//,
    imports: ["core", "store", "broker", "protocol"],
    node: true,
    packages: true,
  },
  {
    name: "the engine of the client",
    files: /^packages\/client\/src\/(engine|model)\//,
    imports: ["protocol"],
    node: false,
    packages: false,
    // Microtasks are no clock: the simulator lets them run out between two of its steps.
    forbidden: outsideWorld.filter(({ pattern }) => !pattern.test("queueMicrotask")),
  },
  { name: "client", files: /^packages\/client\/src\//, imports: ["protocol"], node: true, packages: true },
  { name: "testkit", files: /^packages\/testkit\/src\//, imports: everything, node: true, packages: true },
  {
    name: "the configuration of an app",
    files: /^apps\/[^/]+\/[^/]+\.(ts|js|mjs)$/,
    imports: [],
    node: true,
    packages: true,
  },
  {
    name: "apps",
    files: /^apps\/[^/]+\/src\//,
    imports: ["client"],
    types: ["protocol"],
    node: false,
    packages: true,
  },
  { name: "bench", files: /^bench\//, imports: everything, node: true, packages: true },
  {
    name: "examples",
    files: /^examples\//,
    imports: ["client", "server", "protocol", "tools"],
    node: true,
    packages: true,
  },
  { name: "tools", files: /^tools\//, imports: everything, node: true, packages: true },
];

/** What browsers load: nothing that these files reach may import a `node:` module. */
export const browserEntries: readonly string[] = [
  "packages/client/src/index.ts",
  "packages/client/src/react.ts",
];

/** Lines that a file may have, a test more. A facade named after the product's main noun is where god classes grow. */
export const lineMax = 500;
export const testLineMax = 800;
export const facadeLineMax = 250;
export const facades: RegExp = /(^|\/)(server|client|session|conversation|node)\.tsx?$/;
