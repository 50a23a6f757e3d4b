/** The files of `deploy/` are accepted by those who read them, and fit what they are for. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { findProgram } from "@hongyan/testkit/debian";
import { ensureEntryPrograms, whyNoMachines } from "./entry/programs.ts";
import { runInWorld } from "./entry/world.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const main = join(root, "packages/server/src/main.ts");

test("Nginx, with TLS, and Keepalived accept their files", { skip: whyNoMachines() }, async (t) => {
  await ensureEntryPrograms();
  await runInWorld("accept.ts", t.signal);
});

test("the secrets of the compose file are random, and the server and NATS accept them", async (t) => {
  const folder = await temporary(t);
  const [one, two] = [join(folder, "one"), join(folder, "two")];
  const script = join(root, "deploy/docker/secrets.sh");
  for (const place of [one, two]) await run(script, [place]);
  const { stdout } = await run(process.execPath, [main, "config", "--config", join(one, "hongyan.json")]);
  assert.match(stdout, /^domains .*hongyan\.json/m);
  for (const file of ["hongyan.json", "nats.conf", "postgres_password"])
    assert.notEqual(await readFile(join(one, file), "utf8"), await readFile(join(two, file), "utf8"), file);
  await assert.rejects(run(script, [one]), /nothing was changed/);
  if (findProgram("nats-server") !== undefined)
    await run("nats-server", ["-t", "-c", join(one, "nats.conf")]);
});

test("the unit calls the server with flags that it knows, and lets it drain", async (t) => {
  const unit = await text("deploy/systemd/hongyan.service");
  const [, line = ""] = /^ExecStart=\/opt\/hongyan\/node_modules\/\.bin\/node (.*)$/m.exec(unit) ?? [];
  const [program = "", command, ...flags] = line.split(" ");
  assert.deepEqual([join(root, program), command], [main, "start"]);
  const folder = await temporary(t);
  const args = flags.map((flag) =>
    flag
      .replace(/^\$\{CREDENTIALS_DIRECTORY\}/, folder)
      .replace(/^\/var\/lib\/hongyan$/, join(folder, "data")),
  );
  // `config` reads what `start` reads; there is no such file, and that is all it has to say.
  const { status, stderr } = spawnSync(process.execPath, [main, "config", ...args], { encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stderr, /hongyan\.json cannot be read: there is no such file/);
  const [, stopMsMax = ""] =
    /stopMsMax = ([\d_]+)/.exec(await text("packages/server/src/command/start.ts")) ?? [];
  const [, stopSeconds] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? [];
  assert.ok(1000 * Number(stopSeconds) > Number(stopMsMax.replaceAll("_", "")));
});

test("the image has the packages that the server needs, on the pinned runtime", async () => {
  const file = await text("deploy/docker/Dockerfile");
  const [, server = ""] = /AS server\n(.*?)\nFROM/s.exec(file) ?? [];
  const copied = [...server.matchAll(/^COPY packages\/(\w+) /gm)].map(([, name]) => name);
  assert.deepEqual(copied.toSorted(), (await closure("server")).toSorted());
  const { devDependencies } = JSON.parse(await text("package.json")) as Manifest;
  assert.match(file, new RegExp(`^ARG NODE=node:${devDependencies?.node}-`, "m"));
});

test("what unit, image and compose file put into the environment is a setting", async () => {
  const known = await text("docs/reference/configuration.md");
  const files = ["systemd/hongyan.service", "docker/Dockerfile", "docker/compose.yaml"];
  const texts = await Promise.all(files.map((file) => text(`deploy/${file}`)));
  // Not ${…}: that is asked of the one who calls docker compose.
  const names = texts.flatMap((one) => [...one.matchAll(/(?<!\$\{)\b(HONGYAN_\w+)[:=]/g)]);
  assert.ok(names.length > 8);
  for (const [, name = ""] of names) assert.ok(known.includes(`\`${name}\``), name);
});

test("alerts ask for metrics that there are, and the page on them has them all", async () => {
  const known = await text("docs/reference/metrics.md");
  const rules = await text("deploy/prometheus/hongyan.rules.yaml");
  const names = new Set(rules.match(/\bhongyan_\w+/g));
  assert.ok(names.size > 5);
  for (const name of names) assert.ok(known.includes(`\`${name}\``), name);
  const page = await text("docs/operating/monitoring.md");
  for (const [, name = "", rule = ""] of rules.matchAll(/- alert: (\w+)\n((?: {8}.*\n)+)/g)) {
    const [, severity] = /^ {8}labels: \{ severity: (page|ticket|info) \}$/m.exec(rule) ?? [];
    assert.match(page, new RegExp(`^\\|.*\`${name}\`.*\\| \`${severity}\` \\|`, "m"), name);
  }
});

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** A package, and those of this house that it stands on. */
async function closure(name: string, found = new Set<string>()): Promise<string[]> {
  if (found.has(name)) return [...found];
  found.add(name);
  const { dependencies = {} } = JSON.parse(await text(`packages/${name}/package.json`)) as Manifest;
  for (const dependency of Object.keys(dependencies))
    if (dependency.startsWith("@hongyan/")) await closure(dependency.slice("@hongyan/".length), found);
  return [...found];
}

function text(file: string): Promise<string> {
  return readFile(join(root, file), "utf8");
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hongyan-deploy-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
