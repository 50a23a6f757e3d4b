/** From one process to PostgreSQL while people write: with real processes, sockets and a real kill -9. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { EmbeddedStore } from "@hongyan/store/embedded";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import {
  connect,
  connectOk,
  filledData,
  hongyan,
  isMoved,
  launch,
  main,
  said,
  talk,
  unreadOf,
  until,
} from "./migration-world.ts";

describe("one process becomes many", { skip: whyNoPostgres() ?? false }, () => {
  let postgres: PostgresServer;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres.stop());

  test("G1 G2 G3 G4 G5 while people write: nobody is cut off, nothing is lost or doubled, unread counts stay", {
    timeout: 120_000,
  }, async (t) => {
    const url = await postgres.createDatabase();
    const data = await filledData(t, 2_000);
    const server = await launch(t, { data, settings: { repairEveryMs: 500 } });
    const carol = await connect(server, "carol");
    await carol.send("alice:carol", "hello", "carol:1");
    carol.cut();
    const people = await talk(t, server);
    await until(() =>
      people.roamers.every(({ acknowledged }) => acknowledged.length > 5 || acknowledged.length === 0),
    );
    const before = await unreadOf(server, "alice", "alice:carol");
    const { stdout, stderr, code } = await hongyan(["migrate", "--data", data], url);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /Moved to the PostgreSQL database .*Writes waited for [\d,]+ ms.*The server goes on there/s,
    );
    t.diagnostic(stdout.replaceAll("\n", " "));
    const said = people.roamers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    await until(
      () => people.roamers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0) > said + 20,
    );
    await people.settle(server);
    assert.equal(await unreadOf(server, "alice", "alice:carol"), before);
    assert.ok(!server.output.includes("commit failed"), "no commit was refused");
    assert.deepEqual(
      people.clients.map(({ isClosed }) => isClosed),
      people.clients.map(() => false),
      "nobody was cut off",
    );
    const epoch = (await connectOk(server, "dave")).epoch;
    const again = await hongyan(["migrate", "--data", data], url);
    assert.match(again.stdout, /Was moved before/, again.stderr);
    const verified = await hongyan(["migrate", "--verify", "--data", data], url);
    assert.match(verified.stdout, /The same on both sides: [\d,]+ entries/, verified.stderr);
    // Another node joins while the first one, which has no connection to it, still serves.
    const next = await launch(t, { like: server, settings: { postgres: { url }, repairEveryMs: 500 } });
    const [erin, fred] = [await connect(server, "erin"), await connect(next, "fred")];
    for (const one of [erin, fred]) await one.ask({ type: "sync" }, "sync.ok");
    await fred.send("erin:fred", "from the new node", "fred:1");
    await erin.until((frame) => frame.type === "message" && frame.conversation === "erin:fred", "a message");
    await erin.send("erin:fred", "from the first one", "erin:1");
    await fred.until((frame) => frame.type === "message" && frame.seq === 2, "a message");
    await server.kill();
    await assert.rejects(server.start(), /were moved to the PostgreSQL database/);
    await people.check(next);
    assert.equal((await connectOk(next, "dave")).epoch, epoch, "it is the same data");
    assert.equal(await unreadOf(next, "alice", "alice:carol"), before);
  });

  test("G1 G2 G3 G4 killed in every phase and started again: it goes on by itself, and everything is there once", {
    timeout: 180_000,
  }, async (t) => {
    const url = await postgres.createDatabase();
    const data = await filledData(t, 8_000);
    const old = await launch(t, { data });
    const ports = [old.httpPort, old.tcpPort] as const;
    const begun = hongyan(["migrate", "--data", data], url);
    await until(() => old.output.includes('"migrate.copy"') || old.output.includes('"migrate.failed"'));
    await old.kill();
    const { code, stderr } = await begun;
    assert.equal(code, 1);
    assert.match(stderr, /the server has ended/);
    // With the database in its configuration it serves the old data until the copy is complete.
    const server = await launch(t, { data, like: old, ports, settings: { postgres: { url } } });
    const people = await talk(t, server);
    let from = 0;
    for (const phase of ["copy", "compare", "stop"]) {
      from = server.output.length;
      await until(() => server.output.slice(from).includes(`"migrate.${phase}"`) || isMoved(server));
      await server.kill();
      from = server.output.length;
      await server.start();
    }
    // Killed late enough, it was moved already, and has opened the copy without a word.
    const settledAtMs = performance.now() + 3000;
    const isOpened = () =>
      performance.now() > settledAtMs && !server.output.slice(from).includes('"migrate.copy"');
    await until(() => isMoved(server) || isOpened());
    await people.settle(server);
    await server.kill();
    await server.start();
    await people.check(server);
    await assert.rejects(EmbeddedStore.open({ directory: join(data, "store") }), { code: "moved" });
  });

  test("a domain goes through a file from one store into another, and nothing of it is there before its end", {
    timeout: 120_000,
  }, async (t) => {
    const url = await postgres.createDatabase();
    const data = await filledData(t, 500);
    const directory = await mkdtemp(join(tmpdir(), "hongyan-domain-"));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const file = join(directory, "main.domain");
    const server = await launch(t, { data });
    const anna = await connect(server, "anna");
    await anna.send("anna:bert", "hello", "anna:1");
    const locked = await hongyan(["export", "--domain", "main", "--to", file, "--data", data]);
    assert.deepEqual([locked.code, locked.stdout], [1, ""]);
    assert.match(locked.stderr, /in use by another server/);
    await server.stop();
    const exported = await hongyan(["export", "--domain", "main", "--to", file, "--data", data]);
    assert.match(exported.stdout, /Exported domain main to .*: 501 entries/, exported.stderr);
    for (const [args, message] of [
      [["export", "--domain", "nobody", "--to", join(directory, "x")], /nothing of the domain "nobody"/],
      [["export", "--domain", "main", "--to", file], /is there already: an export overwrites nothing/],
      [
        ["export", "--domain", "main", "--to", join(directory, "no", "x")],
        /is not there, or its directory is not/,
      ],
      [["import", "--from", file], /has this domain already/],
      [["import", "--from", join(directory, "x")], /is not there/],
      [["import", "--from", main], /is not an exported domain/],
      [["import", "--from", directory], /is a directory/],
    ] as const) {
      const { code, stderr } = await hongyan([...args, "--data", data]);
      assert.equal(code, 1, stderr);
      assert.match(stderr, message);
    }
    assert.deepEqual(await readdir(directory), ["main.domain"]);
    const imported = await hongyan(["import", "--from", file], url);
    assert.match(imported.stdout, /Imported domain main .*: 501 entries/, imported.stderr);
    const next = await launch(t, { like: server, settings: { postgres: { url } } });
    const bert = await connect(next, "bert");
    await bert.ask({ type: "sync" }, "sync.ok");
    assert.deepEqual(bert.shown("anna:bert"), ["hello"]);
    const again = await (await connect(next, "anna")).send("anna:bert", "hello", "anna:1");
    assert.equal(again.seq, 1, "G2 a resend is known in the other store");
    const twice = await hongyan(["import", "--from", file], url);
    assert.match(twice.stderr, /has this domain already/);
    // From PostgreSQL while it serves, and back into a directory.
    const back = join(directory, "back.domain");
    const { stderr } = await hongyan(["export", "--domain", "main", "--to", back], url);
    assert.equal(stderr.includes("hongyan:"), false, stderr);
    const fresh = join(directory, "fresh");
    assert.match((await hongyan(["import", "--from", back, "--data", fresh])).stdout, /501 entries/);
    const third = await launch(t, { like: server, data: fresh });
    const resent = await (await connect(third, "anna")).send("anna:bert", "hello", "anna:1");
    assert.equal(resent.seq, 1, "G2 a resend is known also where producers came as digests");
  });

  test("bad command lines, a wrong database and a full disk are told in words", {
    timeout: 60_000,
  }, async (t) => {
    const data = await filledData(t, 3_000);
    const url = await postgres.createDatabase();
    const wrong = new URL(url);
    wrong.password = "wrong";
    for (const [args, to, code, message] of [
      [["migrate"], undefined, 2, /postgres.url is missing/],
      [["migrate", "--dry-run", "--verify"], url, 2, /choose one of/],
      [["migrate", "--data", join(data, "nothing")], url, 1, /holds no data/],
      [["migrate"], wrong.href, 1, /refuses the user or the password/],
      [["migrate"], "postgres://u:p@127.0.0.1:1/d", 1, /cannot be reached/],
      [["migrate", "--verify"], url, 1, /not moved yet/],
      [["export", "--domain", "a/b", "--to", "x"], undefined, 2, /is not an id/],
      [["export", "--domain", "main"], undefined, 2, /--to is missing/],
      [["import"], undefined, 2, /--from is missing/],
    ] as const) {
      const said = await hongyan(
        [...args, ...(args.includes("--data" as never) ? [] : ["--data", data])],
        to,
      );
      assert.equal(said.code, code, said.stderr);
      assert.match(said.stderr, message);
    }
    const dry = await hongyan(["migrate", "--dry-run", "--data", data], url);
    assert.match(
      dry.stdout,
      /To be copied: 1 log with 3,000 entries.*The database is empty.*Nothing was written/s,
    );
    assert.equal(
      await postgres.sql("SELECT to_regclass('hongyan.meta') IS NULL", new URL(url).pathname.slice(1)),
      "t",
    );
    const moved = await hongyan(["migrate", "--data", data], url);
    assert.match(
      moved.stdout,
      /Copied 3,000 entries.*Set postgres.url in the configuration, and start/s,
      moved.stderr,
    );
    const again = await hongyan(["migrate", "--data", data], url);
    assert.match(again.stdout, /Was moved before: to the PostgreSQL database/);
    const directory = await mkdtemp(join(tmpdir(), "hongyan-full-"));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const command = `mount -t tmpfs -o size=64k none ${directory} && ${process.execPath} ${main} export --domain main --to ${directory}/x; code=$?; ls -A ${directory}; exit $code`;
    const full = await said(
      spawn("unshare", ["-m", "sh", "-c", command], { env: { ...process.env, HONGYAN_POSTGRES_URL: url } }),
    );
    if (/unshare|mount/.test(full.stderr)) return t.diagnostic("not root: no disk to be filled");
    assert.equal(full.code, 1);
    assert.match(full.stderr, /the disk is full/);
    assert.equal(full.stdout, "", "nothing of it is left");
  });
});
