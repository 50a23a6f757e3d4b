import { glob, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { findCycles } from "./cycles.ts";
import { browserEntries, facadeLineMax, facades, lineMax, type Room, rooms, testLineMax } from "./rules.ts";
import { type Import, readSource, type Source } from "./source.ts";

export interface Objection {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

interface Package {
  readonly folder: string;
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: ReadonlySet<string>;
}

const patterns = [
  "packages/*/{src,test}/**",
  "apps/*/{src,test}/**",
  "apps/*/*",
  "bench/**",
  "test/**",
  "tools/**",
  "examples/**",
];

/** All objections against the tree at `root`, by file and line. */
export async function checkHouse(root: string): Promise<Objection[]> {
  const packages = await readPackages(root);
  const sources = new Map<string, Source>();
  const objections: Objection[] = [];
  for (const file of await sourceFiles(root)) {
    const text = await readFile(join(root, file), "utf8");
    const source = readSource(text);
    sources.set(file, source);
    objections.push(...checkSize(file, text));
    const room = rooms.find((candidate) => candidate.files.test(file));
    if (room === undefined) continue;
    objections.push(...checkNames(file, source, room));
    for (const found of source.imports) objections.push(...checkImport(file, found, room, packages));
  }
  const edges = edgesOf(sources, packages);
  objections.push(...checkCycles(edges), ...checkBrowser(sources, edges));
  return objections.sort((one, other) =>
    one.file === other.file ? one.line - other.line : one.file < other.file ? -1 : 1,
  );
}

async function sourceFiles(root: string): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob(patterns, { cwd: root, exclude: ["**/node_modules/**", "**/dist*/**"] })) {
    if (/\.(ts|tsx|js|mjs)$/.test(file)) files.push(file);
  }
  return files.sort();
}

async function readPackages(root: string): Promise<Package[]> {
  const packages: Package[] = [];
  for await (const file of glob(
    ["package.json", "packages/*/package.json", "apps/*/package.json", "bench/package.json"],
    { cwd: root },
  )) {
    const {
      name,
      exports = {},
      dependencies,
      devDependencies,
      peerDependencies,
    } = JSON.parse(await readFile(join(root, file), "utf8"));
    const declared = new Set(
      [dependencies, devDependencies, peerDependencies].flatMap((of) => Object.keys(of ?? {})),
    );
    packages.push({
      folder: file === "package.json" ? "" : dirname(file),
      name,
      exports,
      dependencies: declared,
    });
  }
  return packages.sort((one, other) => other.folder.length - one.folder.length);
}

function checkSize(file: string, text: string): Objection[] {
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  const isFacade = facades.test(file) && file.includes("/src/");
  const max = isFacade ? facadeLineMax : /\.test\.tsx?$/.test(file) ? testLineMax : lineMax;
  if (lines <= max) return [];
  return [
    { file, line: max + 1, rule: `${lines} lines; ${isFacade ? "a facade" : "a file"} may have ${max}` },
  ];
}

function checkNames(file: string, source: Source, room: Room): Objection[] {
  const objections: Objection[] = [];
  if (room.forbidden === undefined) return objections;
  source.code.split("\n").forEach((line, at) => {
    for (const { pattern, instead } of room.forbidden ?? []) {
      const found = pattern.exec(line)?.[0];
      if (found !== undefined)
        objections.push({
          file,
          line: at + 1,
          rule: `${room.name} must not use ${found.trim()}: use ${instead}`,
        });
    }
  });
  return objections;
}

function checkImport(file: string, found: Import, room: Room, packages: readonly Package[]): Objection[] {
  const object = (rule: string): Objection[] => [{ file, line: found.line, rule }];
  const { specifier } = found;
  const home = packages.find(
    (candidate) => candidate.folder !== "" && file.startsWith(`${candidate.folder}/`),
  );
  if (specifier.startsWith(".")) {
    const target = normalize(join(dirname(file), specifier));
    const leaves = home !== undefined && !target.startsWith(`${home.folder}/`);
    const isProgram = target.startsWith("tools/") && room.test === true;
    if (leaves && !isProgram)
      return object(`${specifier} leaves the package ${home.name}: import the other package by its name`);
    if (room.name === "tools" && target.startsWith("packages/")) return [];
    return [];
  }
  if (specifier.startsWith("node:"))
    return room.node ? [] : object(`${room.name} must not import ${specifier}`);
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  if (name.startsWith("@hongyan/")) return checkRoom(found, room, name, packages, home).flatMap(object);
  if (!room.packages) return object(`${room.name} must not import the package ${name}`);
  if (isBuiltin(name)) return object(`write node:${specifier}`);
  const rootPackage = packages.find((candidate) => candidate.folder === "");
  // Tests are never published: what any package of the workspace declares is installed for them.
  const usable = room.test
    ? packages
    : [home, isDevelopment(room) || home === undefined ? rootPackage : home];
  if (usable.some((of) => of?.dependencies.has(name)) || isTypesOf(name, found, rootPackage)) return [];
  return object(
    `${name} is not declared in ${home?.folder === undefined ? "" : `${home.folder}/`}package.json`,
  );
}

function checkRoom(
  found: Import,
  room: Room,
  name: string,
  packages: readonly Package[],
  home: Package | undefined,
): string[] {
  const target = packages.find((candidate) => candidate.name === name);
  if (target === undefined) return [`there is no package ${name}`];
  const short = name.slice("@hongyan/".length);
  if (home !== undefined && name === home.name)
    return room.test ? [] : [`import ${name} from inside by a relative path`];
  const allowed = room.imports.includes(short) || (found.typeOnly && room.types?.includes(short) === true);
  if (!allowed)
    return [`${room.name} must not import ${short}${room.types?.includes(short) ? " but for types" : ""}`];
  // Tests may use any part of the workspace; shipped code needs the declaration. A type costs none where a rule says so.
  const needsDeclaration =
    home !== undefined && !room.test && !(found.typeOnly && room.types?.includes(short));
  if (needsDeclaration && !home.dependencies.has(name))
    return [`${name} is not declared in ${home.folder}/package.json`];
  const entry = found.specifier === name ? "." : `.${found.specifier.slice(name.length)}`;
  return entry in target.exports ? [] : [`${name} does not export ${entry}`];
}

function isTypesOf(name: string, found: Import, rootPackage: Package | undefined): boolean {
  return found.typeOnly && rootPackage?.dependencies.has(`@types/${name}`) === true;
}

/** Rooms that are never published: the root's development dependencies are theirs. */
function isDevelopment(room: Room): boolean {
  return ["testkit", "bench", "tools", "examples", "the configuration of an app"].includes(room.name);
}

const builtins = new Set([
  "fs",
  "path",
  "http",
  "net",
  "crypto",
  "os",
  "url",
  "util",
  "stream",
  "events",
  "buffer",
  "child_process",
  "zlib",
  "assert",
  "timers",
  "tls",
  "worker_threads",
]);

function isBuiltin(name: string): boolean {
  return builtins.has(name);
}

/** Which files each file needs at run time, and where it says so. Types are gone by then. */
type Edges = ReadonlyMap<string, ReadonlyMap<string, number>>;

function edgesOf(sources: ReadonlyMap<string, Source>, packages: readonly Package[]): Edges {
  const edges = new Map<string, Map<string, number>>();
  for (const [file, source] of sources) {
    const targets = new Map<string, number>();
    for (const { specifier, line, typeOnly } of source.imports) {
      const target = resolve(file, specifier, packages);
      if (!typeOnly && target !== undefined && sources.has(target)) targets.set(target, line);
    }
    edges.set(file, targets);
  }
  return edges;
}

function checkCycles(edges: Edges): Objection[] {
  return findCycles(edges).map((cycle) => ({
    file: cycle[0] as string,
    line: edges.get(cycle[0] as string)?.get(cycle[1] as string) ?? 1,
    rule: `import cycle: ${cycle.join(" → ")}`,
  }));
}

/** What browsers load must not need Node. */
function checkBrowser(sources: ReadonlyMap<string, Source>, edges: Edges): Objection[] {
  const reached = new Map<string, string>(browserEntries.map((entry) => [entry, entry]));
  const objections: Objection[] = [];
  for (const [file, way] of reached) {
    for (const { specifier, line, typeOnly } of sources.get(file)?.imports ?? []) {
      if (specifier.startsWith("node:") && !typeOnly) {
        objections.push({
          file,
          line,
          rule: `browsers load this file (${way}); it must not import ${specifier}`,
        });
      }
    }
    for (const next of edges.get(file)?.keys() ?? [])
      if (!reached.has(next)) reached.set(next, `${way} → ${next}`);
  }
  return objections;
}

function resolve(file: string, specifier: string, packages: readonly Package[]): string | undefined {
  if (specifier.startsWith(".")) return normalize(join(dirname(file), specifier));
  const target = packages.find(
    ({ name }) => name !== "" && (specifier === name || specifier.startsWith(`${name}/`)),
  );
  if (target === undefined) return undefined;
  const entry = target.exports[`.${specifier.slice(target.name.length)}`];
  return entry === undefined ? undefined : normalize(join(target.folder, entry));
}
