import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";

import { freePorts } from "@hongyan/testkit/free-port";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import { createServer } from "../src/server.ts";

const domains = JSON.stringify({ main: { keys: { k: "a-secret-of-more-than-32-characters" } } });
const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** A real process; its exit code and what it has said. */
async function start(
  url: string,
  nodeArgs: readonly string[] = [],
): Promise<{ code: number | null; words: string }> {
  const child = spawn(
    process.execPath,
    [...nodeArgs, main, "start", "--port", "0", "--tcp-port", "0", "--no-web"],
    {
      env: {
        PATH: process.env.PATH,
        HONGYAN_POSTGRES_URL: url,
        HONGYAN_DOMAINS: domains,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let words = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (words += chunk));
  child.stdout.on("data", () => child.kill("SIGKILL"));
  const [code] = await once(child, "close");
  return { code, words };
}

async function refuses(url: string, words: RegExp, nodeArgs: readonly string[] = []): Promise<void> {
  const said = await start(url, nodeArgs);
  assert.match(said.words, words);
  assert.equal(said.code, 1);
  assert.doesNotMatch(said.words, /\n.*\n/, "more than one line");
  const password = URL.canParse(url) ? new URL(url).password : "";
  assert.ok(password === "" || !said.words.includes(password), "the password shows");
}

suite("hongyan start on a PostgreSQL that will not do", { skip: whyNoPostgres() ?? false }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  test("ends with exit code 1 and one line that says what to change", async () => {
    const [port] = await freePorts(1);
    await refuses(
      "mysql://root:hunter22@localhost/hongyan",
      /^hongyan: .*postgres:\/\/user:password@host:5432\/database/,
    );
    await refuses(
      `postgres://hongyan:hunter22@127.0.0.1:${port}/hongyan`,
      /^hongyan: PostgreSQL database "hongyan" at 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/,
    );
    await refuses(
      "postgres://hongyan:hunter22@nowhere.invalid/hongyan",
      /nowhere\.invalid:5432 cannot be reached/,
    );
    const wrong = new URL(server.url());
    wrong.password = "hunter22";
    await refuses(wrong.href, /refuses the user or the password/);
    await refuses(server.url("absent"), /database "absent".* does not exist .*createdb/);
    const latin = await server.createDatabase("ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'");
    await refuses(latin, /has the encoding LATIN1; it must be UTF8: createdb --encoding UTF8/);
  });

  test("a schema of a newer version is refused with what to use", async () => {
    const url = await server.createDatabase();
    const database = new URL(url).pathname.slice(1);
    assert.match((await start(url)).words, /ready/);
    await server.sql("UPDATE hongyan.meta SET version = 99", database);
    await refuses(url, /schema version 99; this version reads up to version \d+\. Use a newer version/);
  });

  test("a clock that is an hour ahead is refused", async () => {
    const ahead = "data:text/javascript,const now=Date.now;Date.now=()=>now()+3600000";
    await refuses(
      await server.createDatabase(),
      /clock of this machine is 3(599\.9|600\.\d) s ahead of that of .*NTP/,
      ["--import", ahead],
    );
  });

  test("on one that will, its figures are metrics", async (t) => {
    const url = await server.createDatabase();
    const lines: string[] = [];
    const noted = (event: string, details = {}) => void lines.push(`${event} ${JSON.stringify(details)}`);
    const hongyan = await createServer(
      { postgres: { url }, domains: JSON.parse(domains), port: 0, tcpPort: 0, web: false },
      { journal: { info: noted, warn: noted } },
    );
    t.after(() => hongyan.close());
    const { url: address } = await hongyan.listen();
    const { pathname, host, password } = new URL(url);
    const store = `PostgreSQL database "${pathname.slice(1)}" at ${host}`;
    assert.ok(lines.some((line) => line.startsWith("listening ") && line.includes(JSON.stringify(store))));
    assert.ok(password !== "" && lines.every((line) => !line.includes(password)));
    assert.equal((await fetch(`${address}/readyz`)).status, 200);
    const metrics = await (await fetch(`${address}/metrics`)).text();
    assert.match(metrics, /^hongyan_postgres_transactions_total [1-9]/m);
    assert.match(metrics, /^hongyan_postgres_write_seconds_total 0\.\d/m);
    assert.match(metrics, /^hongyan_postgres_read_connections [1-9]/m);
    assert.match(metrics, /^hongyan_postgres_clock_skew_seconds -?\d/m);
  });

  test("a standby is refused with what to name instead", async () => {
    const url = await server.createDatabase();
    await server.demote();
    await refuses(url, /is a standby, which cannot be written: name the primary/);
  });
});
