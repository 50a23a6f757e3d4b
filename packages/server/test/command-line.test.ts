import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const newDirectory = () => mkdtempSync(join(tmpdir(), "hongyan-cli-"));
const anyPorts = ["--port", "0", "--tcp-port", "0", "--no-web"];

interface Output {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real process, without this process's own settings. */
function run(
  args: readonly string[],
  environment: Record<string, string> = {},
): ChildProcessWithoutNullStreams {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("HONGYAN_"));
  return spawn(process.execPath, [main, ...args], {
    env: { ...Object.fromEntries(inherited), ...environment },
  });
}

async function output(child: ChildProcessWithoutNullStreams): Promise<Output> {
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

const outputOf = (args: readonly string[], environment?: Record<string, string>) =>
  output(run(args, environment));

interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  readonly url: string;
  readonly ended: Promise<Output>;
}

/** Resolves once the server says that it is ready. */
async function started(
  t: TestContext,
  args: readonly string[],
  environment?: Record<string, string>,
): Promise<Started> {
  const child = run(["start", ...anyPorts, ...args], environment);
  t.after(() => child.kill("SIGKILL"));
  const ended = output(child);
  let text = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      text += chunk;
      const [, found] = /ready: (\S+)/.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    });
    ended.then(({ stderr }) => reject(new Error(stderr)));
  });
  return { child, url, ended };
}

test("help and version are printed for every command", async () => {
  for (const args of [["--help"], ["help"], ["start", "--help"], ["token", "--help"], ["config", "-h"]]) {
    const { code, stdout, stderr } = await outputOf(args);
    assert.equal(code, 0);
    assert.match(stdout, /^(npx )?hongyan /);
    assert.equal(stderr, "");
  }
  const { stdout: ofToken } = await outputOf(["token", "--help"]);
  for (const flag of ["user alice", "domain main", "ttl 15m", "config hongyan.json", "data /var/lib/hongyan"])
    assert.ok(ofToken.includes(`: --${flag}`) || ofToken.includes(`  --${flag}`), flag);
  const { stdout: ofExport } = await outputOf(["export", "--help"]);
  assert.match(ofExport, /\n {2}--domain ID {8}The domain .*\n {2}--to FILE {10}The file /);
  assert.match(ofExport, /\n {2}--data {13}Directory .*\n {2}--log-level /);
  assert.doesNotMatch(ofExport, /--port/, "an export listens nowhere");
  for (const args of [["--version"], ["start", "--version"]])
    assert.match((await outputOf(args)).stdout, /^hongyan \d+\.\d+\.\d+\n$/);
});

test("a wrong command line ends with 2 and one line that says why", async () => {
  const wrong: [args: string[], message: RegExp][] = [
    [[], /a command is missing: start, token, config/],
    [["strat"], /unknown command "strat"\. Did you mean start\?/],
    [["help", "strat"], /unknown command "strat"\. Did you mean start\?/],
    [["strat", "--help"], /unknown command "strat"/],
    [["start", "--demo", "false"], /argument "false": --demo stands alone, or takes true or false with =/],
    [["migrate", "--dry-run=maybe"], /--dry-run must be true or false, not "maybe"/],
    [["start", "--prot", "1"], /unknown flag --prot\. Did you mean --port\?/],
    [["start", "-p", "1"], /unknown flag -p/],
    [["start", "extra"], /unexpected argument "extra"/],
    [["start", "--port"], /--port needs a value/],
    [["start", "--port", "--data", "x"], /--port needs a value, and --data looks like a flag/],
    [["start", "--port", "-1"], /port \(from --port\) must be a whole number from 0 to 65535, not "-1"/],
    [["start", "--port", "80a"], /port \(from --port\) must be a whole number from 0 to 65535, not "80a"/],
    [["start", "--port", "1", "--port", "2"], /--port is given twice/],
    [["start", "--no-web=1"], /--no-web takes no value/],
    [["start", "--config", "/nonexistent/hongyan.json"], /cannot be read: there is no such file/],
    [["start", "--domains", "{}"], /--domains is no flag, .* file of --config, or set HONGYAN_DOMAINS/],
    [["start", "--postgres-url=postgres://a:hunter22@b/c"], /put postgres\.url into the file/],
    [["token"], /--user is missing/],
    [["token", "--user", ""], /--user needs a value that is not empty/],
    [["token", "--user", "a/b"], /--user "a\/b" is not an id/],
    [["token", "--user", "a", "--ttl", "-5m"], /--ttl "-5m" is not a time like/],
    [["token", "--user", "a", "--ttl", "1y"], /is not a time like/],
    [["token", "--user", "a", "--ttl", "5"], /is not a time like/],
    [["token", "--user", "a", "--data", "/nonexistent"], /no domain is configured/],
    [["config", "--json", "--markdown"], /choose one of/],
    [["buckets"], /postgres\.url is missing/],
    [["buckets", "mvoe"], /"mvoe" is nothing that buckets does: .*"buckets move" moves them/],
    [["buckets", "--to", "home"], /--to goes with move/],
    [["buckets", "move", "--to", "home"], /which buckets\? One from 0 to f, or a range as 8-f/],
    [["buckets", "move", "g", "--to", "home"], /"g" is no bucket/],
    [["buckets", "move", "f-8", "--to", "home"], /the range f-8 has its end before its beginning/],
    [["buckets", "move", "8"], /--to is missing/],
    [["buckets", "move", "8", "--to", "home", "--abort"], /--abort takes no --to/],
    [["buckets", "move", "8", "9", "--to", "home"], /unexpected argument "9"/],
  ];
  const ended = await Promise.all(wrong.map(([args]) => outputOf(args)));
  for (const [i, { code, stdout, stderr }] of ended.entries()) {
    const [args, message] = wrong[i] ?? [[], /./];
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, message);
    assert.match(stderr, /^hongyan: /);
    assert.doesNotMatch(stderr, /\n {4}at /, "a stack is for faults of ours");
    assert.equal(stdout, "");
  }
  const hintAfter = (...args: string[]) =>
    /Try (.*)\.\n$/.exec(ended[wrong.findIndex(([one]) => one.join() === args.join())]?.stderr ?? "")?.[1];
  assert.equal(hintAfter(), "npx hongyan --help");
  assert.equal(hintAfter("strat"), "npx hongyan --help");
  assert.equal(hintAfter("token"), "npx hongyan token --help");
  const { code, stderr } = await outputOf(["start"], { HONGYAN_PROT: "1" });
  assert.equal(code, 2);
  assert.match(stderr, /HONGYAN_PROT .*Did you mean HONGYAN_PORT\?/);
});

test("what was written is repeated in part where it is long", async () => {
  const long = "x".repeat(100_000);
  const wrong = [
    [long],
    ["start", long],
    ["start", `--${long}`],
    ["start", "--port", long],
    ["start", "--port", `-${long}`],
    ["start", "--host", long],
    ["start", "--config", long],
    ["token", "--user", long],
    ["token", "--user", "a", "--ttl", long],
    ["token", "--user", "a", "--data", long],
    ["config", "--new-domain", long],
    ["buckets", long],
    ["buckets", "move", long, "--to", "home"],
  ];
  for (const { code, stderr } of await Promise.all(wrong.map((args) => outputOf(args)))) {
    assert.equal(code, 2);
    assert.match(stderr, /x{90}…/);
    assert.ok(stderr.length < 1000, stderr.slice(0, 200));
  }
});

test("a host that others can reach is refused without keys, and the way out is told", async () => {
  const { code, stderr } = await outputOf([
    "start",
    ...anyPorts,
    "--host",
    "0.0.0.0",
    "--data",
    newDirectory(),
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /host 0\.0\.0\.0 is reachable by other machines/);
  assert.match(stderr, /\(umask 077 && npx hongyan config --new-domain main > hongyan\.json\)/);
});

test("the way out works: a new domain, a server on all addresses, a token for a user", async (t) => {
  const directory = newDirectory();
  const file = join(directory, "hongyan.json");
  const made = await outputOf(["config", "--new-domain", "main"]);
  writeFileSync(file, made.stdout);
  const secrets = JSON.parse(made.stdout).domains.main;
  assert.notEqual((await outputOf(["config", "--new-domain", "main"])).stdout, made.stdout);
  const data = join(directory, "data");
  const { url, ended, child } = await started(t, ["--host", "0.0.0.0", "--config", file, "--data", data]);
  const local = url.replace("0.0.0.0", "127.0.0.1");
  const headers = { authorization: `Bearer ${secrets.apiKeys.backend}` };
  assert.equal((await fetch(`${local}/v1/users`, { headers })).status, 200);
  const { code, stdout } = await outputOf(["token", "--user", "alice", "--ttl", "5m", "--config", file]);
  assert.equal(code, 0);
  const claims = JSON.parse(Buffer.from(stdout.split(".")[1] ?? "", "base64url").toString());
  assert.equal(claims.sub, "alice");
  assert.equal(claims.domain, "main");
  assert.equal(claims.exp - claims.iat, 300);
  const shown = await outputOf(["config", "--config", file]);
  for (const secret of [secrets.apiKeys.backend, ...Object.values(secrets.keys)])
    assert.ok(!shown.stdout.includes(String(secret)));
  child.kill("SIGTERM");
  const { stdout: said, stderr: logged } = await ended;
  assert.doesNotMatch(said, /token=/);
  assert.ok(said.includes(`npx hongyan token --user ID --config ${file}\n`), said);
  assert.ok(!logged.includes(secrets.apiKeys.backend));
});

test("the first start prints sign-in links, SIGTERM ends it with 0, and the links survive a restart", async (t) => {
  const data = newDirectory();
  const first = await started(t, ["--data", data]);
  first.child.kill("SIGTERM");
  const { code, stdout, stderr } = await first.ended;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Alice +http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]+\.[\w-]+\.[\w-]+\n/);
  assert.ok(stderr.split("\n").some((line) => line.includes('"event":"stopped"')));
  for (const line of stderr.trim().split("\n")) assert.doesNotThrow(() => JSON.parse(line), line);
  const keysBefore = readFileSync(join(data, "demo.json"), "utf8");
  const second = await started(t, ["--data", data]);
  assert.equal(readFileSync(join(data, "demo.json"), "utf8"), keysBefore);
  const minted = await outputOf(["token", "--user", "alice", "--data", data]);
  assert.equal(minted.code, 0);
  second.child.kill("SIGINT");
  assert.equal((await second.ended).code, 0);
});

test("a second signal ends a drain at once", async (t) => {
  const { child, ended, url } = await started(t, ["--data", newDirectory(), "--drain-ms", "60000"]);
  child.kill("SIGTERM");
  while ((await fetch(`${url}/readyz`)).status !== 503);
  child.kill("SIGTERM");
  assert.equal((await ended).code, 143);
});

test("a port in use, a directory in use and a directory that cannot be used end with 1 and one line", async (t) => {
  const data = newDirectory();
  const { url } = await started(t, ["--data", data]);
  const port = new URL(url).port;
  const busy = await outputOf([
    "start",
    "--port",
    port,
    "--tcp-port",
    "off",
    "--no-web",
    "--data",
    newDirectory(),
  ]);
  assert.equal(busy.code, 1, busy.stderr);
  assert.match(busy.stderr, new RegExp(`^hongyan: 127\\.0\\.0\\.1 port ${port} is in use[^\\n]*--port\\n$`));
  const locked = await outputOf(["start", ...anyPorts, "--data", data]);
  assert.equal(locked.code, 1);
  assert.match(locked.stderr, /^hongyan: the data directory [^\n]* is in use by another server[^\n]*\n$/);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  for (const place of ["/proc/hongyan", "/proc/self"]) {
    if (!existsSync("/proc/self")) break;
    const nowhere = await outputOf(["start", ...anyPorts, "--data", place]);
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /^hongyan: the data directory \/proc\/\w+ [^\n]*\n$/);
  }
  const file = join(newDirectory(), "file");
  writeFileSync(file, "");
  const noDirectory = await outputOf(["start", ...anyPorts, "--data", file]);
  assert.equal(noDirectory.code, 1);
  assert.match(noDirectory.stderr, /^hongyan: the data directory [^\n]* is not a directory\n$/);
});

test("a directory without the right to write is told", {
  skip: process.getuid?.() === 0 && "root may write everywhere",
}, async () => {
  const data = join(newDirectory(), "data");
  mkdirSync(data);
  chmodSync(data, 0o500);
  const { code, stderr } = await outputOf(["start", ...anyPorts, "--data", data]);
  assert.equal(code, 1);
  assert.match(stderr, /cannot be written by this user/);
});

test("damaged demo secrets are told, not replaced", async () => {
  const data = newDirectory();
  writeFileSync(join(data, "demo.json"), "{");
  const { code, stderr } = await outputOf(["start", ...anyPorts, "--data", data]);
  assert.equal(code, 1);
  assert.match(stderr, /^hongyan: [^\n]*demo\.json is damaged: delete it/);
  assert.equal(readFileSync(join(data, "demo.json"), "utf8"), "{");
});

test("a fault ends the process: it never limps on", async (t) => {
  const fault = 'process.on("SIGUSR2", () => { throw new Error("boom"); })';
  const environment = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(fault)}` };
  const { child, ended } = await started(t, ["--data", newDirectory()], environment);
  child.kill("SIGUSR2");
  const { code, stderr } = await ended;
  assert.equal(code, 1);
  assert.match(stderr, /"event":"fault","error":"Error: boom/);
});

test("a log that nobody reads does not stop the server", async (t) => {
  const { child, ended, url } = await started(t, ["--data", newDirectory(), "--log-requests"]);
  child.stderr.pause();
  const batch = Array.from({ length: 50 });
  for (let n = 0; n < 20; n++) {
    await Promise.all(
      batch.map(() => fetch(`${url}/v1/users/${"x".repeat(60)}`).then((answer) => answer.text())),
    );
  }
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  child.stderr.resume();
  child.kill("SIGTERM");
  assert.equal((await ended).code, 0);
});

test("config shows where each value comes from", async () => {
  const { code, stdout } = await outputOf(["config", "--port", "9000", "--no-web"], {
    HONGYAN_LOG_LEVEL: "warn",
  });
  assert.equal(code, 0);
  assert.match(stdout, /^port +9000 +# from --port$/m);
  assert.match(stdout, /^web +false +# from --web$/m);
  assert.match(stdout, /^log\.level +"warn" +# from HONGYAN_LOG_LEVEL$/m);
  assert.match(stdout, /^data +"\.\/data" +# default; HONGYAN_DATA$/m);
  assert.equal(
    JSON.parse((await outputOf(["config", "--json", "--poll-hold-ms-min", "5"])).stdout).poll.holdMsMin,
    5,
  );
  assert.match((await outputOf(["config", "--markdown"])).stdout, /^# Configuration\n/);
});

test("an export by root leaves no file among the data that their owner cannot open", {
  skip: process.getuid?.() !== 0,
}, async (t) => {
  const folder = newDirectory();
  const data = join(folder, "data");
  const { child, ended } = await started(t, ["--data", data]);
  child.kill("SIGTERM");
  await ended;
  const nobody = 65_534;
  for (const path of [
    folder,
    data,
    ...readdirSync(data, { recursive: true }).map((name) => join(data, `${name}`)),
  ])
    chownSync(path, nobody, nobody);
  const args = ["export", "--domain", "demo", "--to", join(folder, "demo.domain"), "--data", data];
  const { code, stderr } = await outputOf(args);
  assert.equal(code, 0, stderr);
  const store = join(data, "store");
  for (const name of readdirSync(store)) assert.equal(statSync(join(store, name)).uid, nobody, name);
  assert.equal(statSync(join(folder, "demo.domain")).uid, nobody);
});
