import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { freePorts } from "@hongyan/testkit/free-port";
import { NatsServer, natsMissing } from "@hongyan/testkit/nats";
import { nkeys } from "@nats-io/transport-node";
import { BrokerError, type BrokerErrorCode, NatsBroker, type NatsOptions } from "../src/nats/index.ts";
import { makeCertificates } from "./certificates.ts";
import { messageEvent, nameOf } from "./events.ts";
import { silent } from "./silent.ts";
import { until } from "./until.ts";
import { Wire } from "./wire.ts";

type Options = Partial<NatsOptions> & Pick<NatsOptions, "url">;

async function serve(t: TestContext, config: string): Promise<NatsServer> {
  const server = await NatsServer.start(config);
  t.after(() => server.stop());
  return server;
}

function open(options: Options & { readonly node?: string }): Promise<NatsBroker> {
  return NatsBroker.open({ node: "n", journal: silent, connectTimeoutMs: 1000, ...options });
}

async function refused(options: Options, code: BrokerErrorCode, words: RegExp): Promise<void> {
  const opened = open(options).then((broker) => broker.close());
  await assert.rejects(opened, (error) => {
    assert.ok(error instanceof BrokerError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, words);
    return true;
  });
}

/** Two nodes with these options reach each other. */
async function works(t: TestContext, options: Options): Promise<void> {
  const [one, two] = [await open(options), await open({ ...options, node: "n2" })];
  t.after(() => Promise.all([one.close(), two.close()]));
  const heard: string[] = [];
  two.subscribe("alice", (event) => heard.push(nameOf(event)));
  await two.flush();
  one.publish(["alice"], messageEvent("hi"));
  await until(() => heard.includes("hi"), "the event");
}

test("user and pass: the right ones are let in, others are refused in words", {
  skip: natsMissing,
}, async (t) => {
  const { url } = await serve(t, "authorization { user: node, password: secret }");
  await works(t, { url, user: "node", pass: "secret" });
  const words = new RegExp(`NATS at ${url} refuses these credentials`);
  await refused({ url, user: "node", pass: "wrong" }, "refused", words);
  await refused({ url, token: "secret" }, "refused", words);
  await refused({ url }, "refused", words);
});

test("a node that is refused when it returns goes on asking until it is let in", {
  skip: natsMissing,
}, async (t) => {
  const server = await serve(t, "authorization { token: secret }");
  const warnings: string[] = [];
  const journal = { info: () => undefined, warn: (event: string) => warnings.push(event) };
  const wire = await Wire.open(server.port);
  const broker = await open({ url: wire.url, token: "secret", journal });
  t.after(async () => {
    await broker.close();
    wire.close();
  });
  await server.restart("authorization { token: another }");
  const before = wire.connections;
  await until(() => wire.connections >= before + 3, "attempts");
  assert.equal(broker.statistics.connected, false);
  assert.ok(warnings.includes("broker error"));
  await server.restart("authorization { token: secret }");
  await until(() => broker.statistics.connected, "the return");
  assert.equal(warnings.filter((event) => event === "broker disconnected").length, 1);
});

test("a token", { skip: natsMissing }, async (t) => {
  const { url } = await serve(t, "authorization { token: secret }");
  await works(t, { url, token: "secret" });
  await refused({ url, token: "wrong" }, "refused", /refuses these credentials/);
});

test("a credentials file", { skip: natsMissing }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "hongyan-creds-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const write = async (name: string, seed: string) => {
    const path = join(directory, name);
    await writeFile(
      path,
      `-----BEGIN NATS USER JWT-----\nnone\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
    );
    return path;
  };
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const [user, other] = [nkeys.createUser(), nkeys.createUser()];
  const { url } = await serve(t, `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }`);
  await works(t, { url, credentialsFile: await write("right.creds", text(user.getSeed())) });
  const wrong = await write("wrong.creds", text(other.getSeed()));
  await refused({ url, credentialsFile: wrong }, "refused", /refuses these credentials/);
  const broken = await write("broken.creds", "nothing");
  await refused({ url, credentialsFile: broken }, "misconfigured", /broken\.creds holds no credentials/);
  const missing = join(directory, "missing.creds");
  await refused({ url, credentialsFile: missing }, "misconfigured", /cannot read the credentials.*ENOENT/);
});

test("TLS: the authority is checked, and a certificate of this node's own is shown", {
  skip: natsMissing,
}, async (t) => {
  const made = await makeCertificates();
  t.after(() => made.dispose());
  const { ca, server, client } = made;
  const { port } = await serve(
    t,
    `tls { cert_file: "${server.cert}", key_file: "${server.key}", ca_file: "${ca}", verify: true }`,
  );
  const url = `tls://127.0.0.1:${port}`;
  await works(t, { url, tls: { ca, ...client } });
  await refused({ url, tls: client }, "unreachable", /cannot connect to NATS at .*(certificate|issuer)/);
  await refused({ url, tls: { ca } }, "unreachable", /cannot connect to NATS/);
  await refused({ url, tls: { ca: `${ca}.missing` } }, "misconfigured", /authority's certificate.*ENOENT/);
  await refused({ url, tls: { ca, key: client.key } }, "misconfigured", /needs its key/);
});

test("an address that says tls is not content with less", { skip: natsMissing }, async (t) => {
  const { port } = await serve(t, "");
  await refused({ url: `tls://127.0.0.1:${port}` }, "unreachable", /does not support 'tls'/);
});

test("NATS that is not there, or is something else, is refused in words", {
  skip: natsMissing,
}, async (t) => {
  const [port] = await freePorts(1);
  await refused({ url: `nats://127.0.0.1:${port}` }, "unreachable", /cannot connect to NATS at .*refused/);
  const silentPeers: Socket[] = [];
  const other = createServer((socket) => silentPeers.push(socket.on("error", () => undefined)));
  t.after(() => {
    other.close();
    for (const socket of silentPeers) socket.destroy();
  });
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const url = `nats://127.0.0.1:${(other.address() as AddressInfo).port}`;
  await refused({ url }, "unreachable", /no answer in time/);
});

test("of several servers one that answers is enough", { skip: natsMissing }, async (t) => {
  const { url } = await serve(t, "");
  const [port] = await freePorts(1);
  await works(t, { url: [`nats://127.0.0.1:${port}`, url] });
});

test("rights to other subjects only are refused before anybody misses an event", {
  skip: natsMissing,
}, async (t) => {
  const users = (publish: string, subscribe: string) =>
    `authorization { users: [ { user: n, password: p, permissions: { publish: "${publish}", subscribe: "${subscribe}" } } ] }`;
  for (const config of [users("other.>", ">"), users(">", "other.>"), users("hongyan.many", ">")]) {
    const { url } = await serve(t, config);
    await refused({ url, user: "n", pass: "p" }, "refused", /publish and subscribe to hongyan\.>/);
  }
  const { url } = await serve(t, users("hongyan.>", "hongyan.>"));
  await works(t, { url, user: "n", pass: "p" });
});

test("a NATS for tiny messages only is refused", { skip: natsMissing }, async (t) => {
  const { url } = await serve(t, "max_payload: 1000");
  await refused({ url }, "refused", /messages of 1000 bytes only: set its max_payload/);
});

test("deployments with different prefixes do not hear each other", { skip: natsMissing }, async (t) => {
  const { url } = await serve(t, "");
  const one = await open({ url, prefix: "one." });
  const two = await open({ url, prefix: "two." });
  t.after(() => Promise.all([one.close(), two.close()]));
  const heard: string[] = [];
  two.subscribe("alice", (event) => heard.push(nameOf(event)));
  await two.flush();
  one.publish(["alice"], messageEvent("hi"));
  one.publish([...Array(50).keys()].map(String).concat("alice"), messageEvent("hi"));
  await one.flush();
  await two.flush();
  assert.deepEqual(heard, []);
});

test("options that contradict each other or cannot be right are refused before anything is asked", {
  skip: natsMissing,
}, async () => {
  const url = "nats://127.0.0.1:1";
  await refused({ url, user: "a", pass: "b", token: "c" }, "misconfigured", /one of user and pass, token/);
  await refused({ url, user: "a" }, "misconfigured", /user and pass together/);
  await refused({ url: "127.0.0.1:4222" }, "misconfigured", /is no address of NATS/);
  await refused({ url: "https://127.0.0.1" }, "misconfigured", /is no address of NATS/);
  await refused({ url: [] }, "misconfigured", /no address/);
  await refused({ url: "nats://me:secret@host:4222" }, "misconfigured", /^(?!.*secret).*credentials/);
  for (const prefix of ["hongyan", ".", "a b.", "a.*.", "a..", ""])
    await refused({ url, prefix }, "misconfigured", /subject prefix/);
});
