import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readConfigFile } from "../src/config/file.ts";
import { printJson, printMarkdown, printText } from "../src/config/print.ts";
import { ConfigurationError, resolveConfig, type Sources } from "../src/config/resolve.ts";
import { namedKeys } from "../src/config/schema.ts";

const secret = (name: string) => name.padEnd(32, "-");

function problemsOf(sources: Sources): readonly string[] {
  try {
    resolveConfig(sources);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError);
    return error.problems;
  }
  return [];
}

const problemOfDomains = (domains: unknown) =>
  problemsOf({ file: { path: "f.json", json: { domains } } })[0] ?? "";

test("without any source the defaults are valid", () => {
  const { config, origins } = resolveConfig({});
  assert.equal(config.host, "127.0.0.1");
  assert.equal(config.port, 8080);
  assert.equal(config.tcpPort, 7800);
  assert.equal(config.poll.holdMsMax, 90_000);
  assert.equal(origins.get("port"), "default");
});

test("a flag wins over the environment, that over the file, that over the default", () => {
  const file = {
    path: "f.json",
    json: { port: 1001, host: "127.0.0.2", log: { level: "warn", format: "json" } },
  };
  const environment = { HONGYAN_PORT: "1002", HONGYAN_LOG_LEVEL: "error" };
  const flags = new Map([["port", "1003"]]);
  const { config, origins } = resolveConfig({ file, environment, flags });
  assert.equal(config.port, 1003);
  assert.equal(config.log.level, "error");
  assert.equal(config.log.format, "json");
  assert.equal(config.host, "127.0.0.2");
  assert.equal(config.tcpPort, 7800);
  assert.deepEqual(
    ["port", "log.level", "host", "tcpPort"].map((path) => origins.get(path)),
    ["--port", "HONGYAN_LOG_LEVEL", "file f.json", "default"],
  );
});

test("every key, variable and flag has a name of its own", () => {
  for (const names of [namedKeys.map((key) => key.path), namedKeys.map((key) => key.environment)]) {
    assert.equal(new Set(names).size, names.length);
  }
  assert.equal(
    namedKeys.find((key) => key.path === "poll.holdMsMin")?.environment,
    "HONGYAN_POLL_HOLD_MS_MIN",
  );
  assert.equal(namedKeys.find((key) => key.path === "tcpPort")?.flag, "tcp-port");
  assert.equal(namedKeys.find((key) => key.path === "domains")?.flag, undefined);
});

test("every default is accepted by its own kind", () => {
  for (const key of namedKeys) assert.deepEqual(key.kind.fromJson(key.default), key.default, key.path);
});

test("a bad value names its key and where it comes from", () => {
  const bad: [path: string, name: string, text: string][] = [
    ["port", "HONGYAN_PORT", "tcp://10.0.0.1:8080"],
    ["port", "HONGYAN_PORT", "65536"],
    ["port", "HONGYAN_PORT", "-1"],
    ["port", "HONGYAN_PORT", "80.5"],
    ["port", "HONGYAN_PORT", "0x50"],
    ["tcpPort", "HONGYAN_TCP_PORT", "none"],
    ["demo", "HONGYAN_DEMO", "yes"],
    ["log.level", "HONGYAN_LOG_LEVEL", "loud"],
    ["node", "HONGYAN_NODE", "a/b"],
    ["heartbeatMs", "HONGYAN_HEARTBEAT_MS", "30s"],
    ["bodyBytesMax", "HONGYAN_BODY_BYTES_MAX", "99999999"],
    ["allowedOrigins", "HONGYAN_ALLOWED_ORIGINS", "https://a.example/path"],
    ["allowedOrigins", "HONGYAN_ALLOWED_ORIGINS", "a.example"],
  ];
  for (const [path, name, text] of bad) {
    const [problem = ""] = problemsOf({ environment: { [name]: text } });
    assert.match(
      problem,
      new RegExp(`^${path.replace(".", "\\.")} \\(from ${name}\\) must be `),
      `${name}=${text}`,
    );
  }
});

test("a file with a wrong type is refused, however close it is", () => {
  for (const json of [
    { port: "8080" },
    { demo: 1 },
    { log: "info" },
    { host: null },
    { allowedOrigins: "*" },
    { poll: [] },
  ]) {
    assert.equal(problemsOf({ file: { path: "f.json", json } }).length, 1, JSON.stringify(json));
  }
  for (const json of [null, [], "x", 5])
    assert.equal(problemsOf({ file: { path: "f.json", json } }).length, 1);
});

test("an unknown key is refused and the nearest one named", () => {
  assert.match(
    problemsOf({ file: { path: "f.json", json: { prot: 1 } } })[0] ?? "",
    /prot \(from file f\.json\).*Did you mean port\?/,
  );
  assert.match(problemsOf({ options: { log: { lvl: 1 } } as never })[0] ?? "", /Did you mean log\.level\?/);
  assert.match(problemsOf({ environment: { HONGYAN_DATE: "x" } })[0] ?? "", /Did you mean HONGYAN_DATA\?/);
  assert.match(problemsOf({ flags: new Map([["hots", "x"]]) })[0] ?? "", /Did you mean host\?/);
  assert.match(problemsOf({ file: { path: "f.json", json: { constructor: 1 } } })[0] ?? "", /constructor/);
});

test("origins of apps and of files are origins too", () => {
  const environment = { HONGYAN_ALLOWED_ORIGINS: "https://a.example:8443, capacitor://localhost,null" };
  const { allowedOrigins } = resolveConfig({ environment }).config;
  assert.deepEqual(allowedOrigins, ["https://a.example:8443", "capacitor://localhost", "null"]);
});

test("all problems are told at once", () => {
  assert.equal(
    problemsOf({ environment: { HONGYAN_PORT: "x", HONGYAN_DEMO: "x", HONGYAN_NOPE: "1" } }).length,
    3,
  );
});

test("keys that contradict each other are refused", () => {
  assert.match(
    problemsOf({ options: { poll: { holdMsMin: 2, holdMsMax: 1 } } })[0] ?? "",
    /^poll\.holdMsMin .*poll\.holdMsMax/,
  );
  assert.match(
    problemsOf({ options: { outboxBytesMax: 9_000_000 } })[0] ?? "",
    /^outboxBytesMax .*outboxBytesClose/,
  );
  assert.match(
    problemsOf({ options: { outboxBytesTotal: 8_000_000 } })[0] ?? "",
    /^outboxBytesClose .*outboxBytesTotal/,
  );
  assert.match(problemsOf({ options: { port: 7800 } })[0] ?? "", /^tcpPort /);
  assert.match(problemsOf({ options: { metrics: { token: "short" } } })[0] ?? "", /^metrics\.token /);
  assert.deepEqual(problemsOf({ options: { port: 0, tcpPort: 0 } }), []);
});

test("where others reach a node is a whole address, of a node that has others", () => {
  const postgres = { url: "postgres://db" };
  const urlOf = (advertise: string) => resolveConfig({ options: { postgres, advertise } }).config.advertise;
  assert.equal(urlOf("http://10.0.0.5:8080/"), "http://10.0.0.5:8080");
  assert.equal(urlOf("http://[fd00::5]:8080"), "http://[fd00::5]:8080");
  assert.equal(urlOf(""), "");
  for (const bad of [
    "10.0.0.5:8080",
    "https://10.0.0.5",
    "http://",
    "http://u:p@10.0.0.5",
    "http://10.0.0.5/path",
    "http://10.0.0.5/?query",
    "http://0.0.0.0:8080",
    "http://[::]:8080",
    `http://${"x".repeat(300)}`,
  ])
    assert.match(problemsOf({ options: { postgres, advertise: bad } })[0] ?? "", /^advertise .*address/, bad);
  assert.match(
    problemsOf({ options: { advertise: "http://10.0.0.5" } })[0] ?? "",
    /^advertise .*postgres\.url/,
  );
});

test("empty variables count as unset", () => {
  assert.equal(resolveConfig({ environment: { HONGYAN_PORT: "" } }).config.port, 8080);
});

test("G10 secrets are long, ids are ids, and no two domains share a key, a key id or an API key", () => {
  const domain = (name: string) => ({
    keys: { [`${name}-1`]: secret(`k-${name}`) },
    apiKeys: { backend: secret(`a-${name}`) },
  });
  assert.equal(problemOfDomains({ a: domain("a"), b: domain("b") }), "");
  assert.match(problemOfDomains({ "a/b": domain("a") }), /not an id/);
  assert.match(problemOfDomains({ a: { keys: {} } }), /at least one key in a\.keys/);
  assert.match(problemOfDomains({ a: { keys: { k1: "short" } } }), /32 to 512 characters at a\.keys\.k1/);
  assert.match(problemOfDomains({ a: { keys: { "1": secret("k") } } }), /begins with a letter/);
  assert.match(problemOfDomains({ a: { key: {} } }), /a\.key, which is unknown/);
  assert.match(
    problemOfDomains({ a: domain("a"), b: { keys: { "a-1": secret("other") } } }),
    /a-1 in two domains, a and b/,
  );
  assert.match(problemOfDomains({ a: domain("a"), b: { keys: { k: secret("k-a") } } }), /one secret twice/);
  assert.match(
    problemOfDomains({ a: domain("a"), b: { ...domain("b"), apiKeys: { x: secret("a-a") } } }),
    /one secret twice/,
  );
  assert.match(problemOfDomains([]), /must be an object/);
  assert.match(
    problemsOf({ environment: { HONGYAN_DOMAINS: "{" } })[0] ?? "",
    /HONGYAN_DOMAINS\) must be JSON/,
  );
});

test("a domain called __proto__ is a domain like any other", () => {
  const json = JSON.parse(`{"domains":{"__proto__":{"keys":{"k":"${secret("k")}"}}}}`);
  const { config } = resolveConfig({ file: { path: "f.json", json } });
  assert.deepEqual(Object.keys(config.domains), ["__proto__"]);
  assert.equal(({} as Record<string, unknown>).keys, undefined);
});

test("further PostgreSQL servers have names of their own, and addresses that nobody is shown", () => {
  const url = "postgres://hongyan:hidden@db-1/hongyan";
  const problem = (servers: unknown) =>
    problemsOf({ options: { postgres: { url, servers: servers as never } } }).join();
  assert.equal(problem({ east: url, "west-2": url }), "");
  assert.match(problem({ home: url }), /"home"/);
  assert.match(problem({ "East!": url }), /"East!"/);
  assert.match(problem({ east: "http://hidden" }), /address like postgres:.* at east/);
  assert.match(problem([url]), /must be an object/);
  const many = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`s${i}`, url]));
  assert.match(problem(many), /up to 15 servers/);
  assert.match(
    problemsOf({ options: { postgres: { servers: { east: url } } } }).join(),
    /needs postgres\.url/,
  );
  const resolved = resolveConfig({
    options: { postgres: { url } },
    environment: { HONGYAN_POSTGRES_SERVERS: `{"east": "${url}"}` },
  });
  assert.deepEqual(resolved.config.postgres.servers, { east: url });
  for (const text of [problem({ east: "http://hidden" }), printText(resolved), printJson(resolved)])
    assert.ok(!text.includes("hidden"), text);
  assert.match(printJson(resolved), /"east": "\*{8}"/);
});

test("no problem and no printout contains a secret", () => {
  const hidden = secret("hidden");
  const short = "too-short-secret";
  const said = [
    ...problemsOf({ environment: { HONGYAN_DOMAINS: `{"a":{"keys":{"k":"${hidden}"` } }),
    ...problemsOf({ options: { domains: { a: { keys: { k: short }, apiKeys: {} } } } }),
    ...problemsOf({ options: { metrics: { token: 5 as never } } }),
  ].join("\n");
  const resolved = resolveConfig({
    options: {
      domains: { a: { keys: { k1: hidden }, apiKeys: { b: secret("api") } } },
      metrics: { token: hidden },
    },
  });
  for (const text of [said, printText(resolved), printJson(resolved), printMarkdown()]) {
    assert.ok(!text.includes(hidden) && !text.includes(short) && !text.includes(secret("api")), text);
  }
  assert.match(printJson(resolved), /"k1": "\*{8}"/);
});

test("the reference page has one row per key, with names, default and meaning", () => {
  const page = printMarkdown();
  for (const key of namedKeys) {
    assert.ok(page.includes(`| \`${key.path}\` | \`${key.environment}\``), key.path);
  }
  assert.ok(page.includes("`--tcp-port`"));
  assert.ok(!page.includes("--domains"));
});

test("a configuration file that is missing or broken is refused without quoting it", () => {
  const directory = mkdtempSync(join(tmpdir(), "hongyan-config-"));
  const path = join(directory, "hongyan.json");
  assert.throws(() => readConfigFile(path), /there is no such file/);
  assert.throws(() => readConfigFile(directory), /is a directory/);
  writeFileSync(path, '{"metrics": {"token": hidden-secret}}');
  assert.throws(
    () => readConfigFile(path),
    (error) =>
      error instanceof ConfigurationError &&
      /is not JSON/.test(error.message) &&
      !/secret/.test(error.message),
  );
  writeFileSync(path, '\uFEFF{"port": 1}');
  assert.deepEqual(readConfigFile(path).json, { port: 1 });
});
