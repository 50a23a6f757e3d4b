/** Hostile peers on a real server: each gets a clear error or close code, and nobody else notices. */
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { after, before, describe, test } from "node:test";
import { closeCodes, encodeFrame, type FrameNamed, FrameReader, messagePackCodec } from "@hongyan/protocol";
import { type LaunchedServer, launchServer, signToken } from "@hongyan/testkit";
import { WebSocket } from "ws";
import { type Door, doors } from "./doors.ts";
import { WireClient } from "./wire-client.ts";

let server: LaunchedServer;
let witness: WireClient;
let said = 0;

before(async () => {
  server = await launchServer({ domains: ["one", "two"], settings: { connectTimeoutMs: 1000 } });
  witness = await WireClient.connect(doors[0] as Door, server, {
    user: "witness",
    token: server.token("witness"),
  });
});
after(() => server.close());

/** A user who was there all along still sends and is answered. */
async function unharmed(): Promise<void> {
  said++;
  assert.equal((await witness.send("witness:zoe", `${said}`, `x:${said}`)).seq, said);
}

/** Sends raw bytes over TCP and returns what came until the server closed. */
async function tcpAnswer(
  ...chunks: readonly Uint8Array[]
): Promise<{ types: string[]; close: FrameNamed<"close"> | undefined }> {
  const types: string[] = [];
  let close: FrameNamed<"close"> | undefined;
  const socket = connectTcp(server.tcpPort, "127.0.0.1");
  const reader = new FrameReader({
    frame: ({ frame }) => {
      types.push(frame.type);
      if (frame.type === "close") close = frame;
    },
    bad: (error) => assert.fail(error.message),
  });
  socket.on("data", (chunk: Buffer) => reader.push(chunk));
  socket.on("error", () => undefined);
  for (const chunk of chunks) socket.write(chunk);
  await new Promise((resolve) => socket.on("close", resolve));
  return { types, close };
}

const connect = (token: string) =>
  encodeFrame(
    { type: "connect", id: 1, version: 1, token, device: "phone", platform: undefined, resume: undefined },
    messagePackCodec,
  );

test("a header that lies about its length is closed with a code", async () => {
  const huge = Buffer.from(connect(server.token("eve")));
  huge.writeUInt32BE(0xffffffff, 0);
  assert.equal((await tcpAnswer(huge)).close?.code, closeCodes.too_large.code);
  const tiny = Buffer.from(connect(server.token("eve")));
  tiny.writeUInt32BE(3, 0);
  assert.equal((await tcpAnswer(tiny)).close?.code, closeCodes.bad_frame.code);
  const fields = Buffer.from(connect(server.token("eve")));
  fields.writeUInt16BE(60_000, 6);
  assert.equal((await tcpAnswer(fields)).close?.code, closeCodes.bad_frame.code);
  await unharmed();
});

test("bad UTF-8 in a field is closed with a code", async () => {
  const bytes = Buffer.from(connect(server.token("eve")));
  bytes[bytes.indexOf("phone")] = 0xff;
  assert.equal((await tcpAnswer(bytes)).close?.code, closeCodes.bad_frame.code);
  await unharmed();
});

test("fuzzed frames, before and after connect, never harm anybody else", async () => {
  let state = 12345;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32;
  };
  for (let round = 0; round < 200; round++) {
    const good = Buffer.concat([
      connect(server.token("mallory")),
      encodeFrame(
        {
          type: "send",
          id: 2,
          conversation: "mallory:zoe",
          clientMessageId: `x:${round}`,
          after: undefined,
          messageType: undefined,
          body: Buffer.from("hi"),
        },
        messagePackCodec,
      ),
      encodeFrame(
        { type: "sync", id: 3, positions: [["mallory:zoe", 1]], limit: 10, bytes: 10, counts: false },
        messagePackCodec,
      ),
    ]);
    for (let flips = 1 + Math.floor(random() * 8); flips > 0; flips--)
      good[Math.floor(random() * good.length)] = Math.floor(random() * 256);
    const socket = connectTcp(server.tcpPort, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.on("data", () => undefined);
    socket.write(good);
    await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
  }
  await unharmed();
});

for (const door of doors) {
  describe(`through ${door.name}`, () => {
    test("forged, expired and foreign tokens are refused by name", async () => {
      const day = 86_400;
      const exp = Math.floor(Date.now() / 1000) + day;
      const claims = { sub: "eve", domain: "one", exp };
      const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.`;
      const tokens: readonly (readonly [string, string])[] = [
        ["", "unauthorized"],
        ["nonsense", "unauthorized"],
        [none, "unauthorized"],
        [signToken({ alg: "HS256", kid: "k-one" }, claims, "guessed"), "unauthorized"],
        [signToken({ alg: "HS256", kid: "no-such-key" }, claims, "guessed"), "unauthorized"],
        [server.token("eve", "one", -60_000), "token_expired"],
      ];
      for (const [token, expected] of tokens) {
        const client = await WireClient.open(door, server, "eve");
        client.post({ type: "connect", version: 1, token, device: "phone" });
        const answer = await client.until((frame) => frame.type === "error", "a refusal");
        assert.equal(answer.type === "error" && answer.name, expected);
        await client.until((frame) => frame.type === "close", "close");
        client.cut();
      }
      await unharmed();
    });

    test("G10 equal ids in two domains are two worlds", async () => {
      const one = await WireClient.connect(door, server, { user: "eve", token: server.token("eve", "one") });
      const two = await WireClient.connect(door, server, { user: "eve", token: server.token("eve", "two") });
      const group = `g-${door.name.replaceAll(" ", "-")}`;
      await one.ask({ type: "create", conversation: group, name: "secret", open: true }, "create.ok");
      await one.send(group, "secret", `x:${door.name}`);
      for (const type of ["history", "members", "receipts", "join", "leave"] as const) {
        assert.equal((await two.ask({ type, conversation: group }, "error")).name, "not_found");
      }
      assert.deepEqual(await two.sync(), []);
      await two.ask({ type: "list" }, "list.ok");
      assert.deepEqual(
        two.of("conversation").filter(({ conversation }) => conversation === group),
        [],
      );
      one.cut();
      two.cut();
    });

    test("commands with missing, wrong and huge fields are refused and the connection stays", async () => {
      const client = await WireClient.connect(door, server, {
        user: "eve",
        token: server.token("eve", "one"),
      });
      const bad = [
        { type: "send", conversation: "", clientMessageId: "x" },
        { type: "send", conversation: "a".repeat(129), clientMessageId: "x" },
        { type: "send", conversation: "eve:zoe", clientMessageId: "\u0000" },
        { type: "history", conversation: "../../etc" },
        { type: "add", conversation: "eve:zoe", users: ["zoe"] },
        { type: "create", conversation: "a b" },
        { type: "role", conversation: "none", user: "x", role: "king" },
      ] as const;
      for (const command of bad) assert.ok((await client.ask(command, "error")).code > 0);
      const tooLarge = await client.ask(
        { type: "send", conversation: "eve:zoe", clientMessageId: "x", body: new Uint8Array(70_000) },
        "error",
      );
      assert.equal(tooLarge.name, "too_large");
      await client.ask({ type: "ping" }, "ping.ok");
      client.cut();
      await unharmed();
    });

    test("nothing but connect is answered first, and silence is ended", async () => {
      const early = await WireClient.open(door, server, "eve");
      early.post({ type: "list" });
      const refusal = await early.until((frame) => frame.type === "error", "a refusal");
      assert.equal(refusal.type === "error" && refusal.name, "unauthorized");
      early.cut();
      if (door.name.startsWith("long") || door.name.startsWith("event")) return; // These begin with their first frame.
      const mute = await WireClient.open(door, server, "eve");
      await mute.untilClosed();
    });
  });
}

test("text mode: what is not a command gets an error that says so", async () => {
  const socket = new WebSocket(server.wsUrl);
  await new Promise((resolve) => socket.on("open", resolve));
  const answers: string[] = [];
  const closed = new Promise((resolve) => socket.on("close", (code) => resolve(code)));
  socket.on("message", (data: Buffer) => answers.push(data.toString()));
  socket.send("{");
  assert.equal(await closed, closeCodes.bad_frame.code);
  assert.match(answers[0] ?? "", /"name":"bad_frame"/);
  await unharmed();
});

test("a message type with control characters is refused at every door, and the connection stays", async () => {
  for (const door of doors) {
    const eve = await WireClient.connect(door, server, { user: "eve", token: server.token("eve") });
    const send = {
      type: "send",
      conversation: "eve:zoe",
      clientMessageId: `${door.name}:1`,
      after: undefined,
      messageType: "text\n",
      body: Buffer.from("hi"),
    } as const;
    const error = await eve.ask(send, "error");
    assert.deepEqual([error.name, /control characters/.test(error.message ?? "")], ["bad_request", true]);
    await eve.ask({ ...send, messageType: "text" }, "send.ok");
    eve.cut();
  }
});

test("a peer that floods unread requests is closed, and the others do not wait", async () => {
  const socket = connectTcp(server.tcpPort, "127.0.0.1");
  socket.on("error", () => undefined);
  const over = new Promise((resolve) => socket.on("close", resolve));
  socket.pause();
  const send = (n: number) =>
    encodeFrame(
      {
        type: "send",
        id: n,
        conversation: "eve:flood",
        clientMessageId: `x:${n}`,
        after: undefined,
        messageType: undefined,
        body: new Uint8Array(30_000),
      },
      messagePackCodec,
    );
  socket.write(connect(server.token("eve")));
  for (let n = 1; n <= 100; n++) socket.write(send(n));
  for (let n = 1; n <= 2000; n++) {
    socket.write(
      encodeFrame(
        {
          type: "history",
          id: 1000 + n,
          conversation: "eve:flood",
          before: undefined,
          after: undefined,
          limit: 100,
        },
        messagePackCodec,
      ),
    );
  }
  for (let round = 0; round < 20; round++) await unharmed();
  socket.destroy();
  await over;
  await unharmed();
});
