import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, type FileHandle, mkdtemp, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { LocalMessage, Message } from "../src/api.ts";
import type { ConversationRecord, Installation, Storage } from "../src/ports.ts";
import { FileStorage } from "../src/storage/file-storage.ts";
import { IndexedDbStorage } from "../src/storage/indexeddb-storage.ts";
import { MemoryStorage } from "../src/storage/memory-storage.ts";

const directories: string[] = [];
after(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true }))));

async function directory(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "hongyan-client-"));
  directories.push(made);
  return made;
}

function local(conversation: string, n: number, status: LocalMessage["status"] = "queued"): LocalMessage {
  return {
    conversation,
    clientMessageId: `p:${n}`,
    messageType: undefined,
    body: new Uint8Array([n, 0, 255]),
    time: n,
    status,
    seq: 0,
    failure: undefined,
  };
}

function message(conversation: string, seq: number): Message {
  const body = new TextEncoder().encode(`m${seq} 鸿雁`);
  return { conversation, seq, from: "alice", time: seq, clientMessageId: `c:${seq}`, messageType: "t", body };
}

function record(conversation: string, position: number): ConversationRecord {
  return {
    conversation,
    kind: "direct",
    name: undefined,
    open: false,
    role: "member",
    members: 2,
    first: 1,
    head: position,
    read: 0,
    unread: position,
    counted: position,
    position,
    delivered: 0,
    seen: 0,
    last: undefined,
    activityAt: 0,
  };
}

const installation: Installation = { device: "d", prefix: "p", domain: "x", user: "u", epoch: "e" };

/** `reopen` ends the program and starts it again, where the storage survives that. */
const kinds: Record<string, () => Promise<{ storage: Storage; reopen: () => Promise<Storage> }>> = {
  memory: async () => {
    const storage = new MemoryStorage();
    return { storage, reopen: async () => storage };
  },
  file: async () => {
    const at = await directory();
    let storage = new FileStorage({ directory: at });
    return {
      storage,
      reopen: async () => {
        await storage.close();
        storage = new FileStorage({ directory: at });
        return storage;
      },
    };
  },
  indexeddb: async () => {
    const name = `test/${Math.random()}`;
    const storage = new IndexedDbStorage(name);
    return {
      storage,
      reopen: async () => {
        await storage.close();
        return new IndexedDbStorage(name);
      },
    };
  },
};

for (const [name, make] of Object.entries(kinds)) {
  describe(`storage: ${name}`, () => {
    test("G1 everything that was committed is found again, the outbox in its order", async () => {
      const { storage, reopen } = await make();
      assert.deepEqual(await storage.load(), {
        installation: undefined,
        conversations: [],
        outbox: [],
        numbers: [],
        chains: [],
      });
      await storage.commit({ installation, outbox: [local("a:b", 2)], numbers: [["a:b", 3]] });
      // The same id in two conversations names two messages.
      await storage.commit({ outbox: [local("a:b", 1), local("a:c", 1)], conversations: [record("a:b", 1)] });
      await storage.commit({ messages: [message("a:b", 1)], outbox: [local("a:b", 2, "failed")] });
      await storage.commit({
        stored: [local("a:b", 1)],
        chains: [["a:b", "p:1"]],
        conversations: [record("a:b", 2)],
      });
      const again = await reopen();
      const state = await again.load();
      assert.deepEqual(state.installation, installation);
      assert.deepEqual(
        state.outbox.map(({ conversation, clientMessageId, status }) => [
          conversation,
          clientMessageId,
          status,
        ]),
        [
          ["a:b", "p:2", "failed"],
          ["a:c", "p:1", "queued"],
        ],
      );
      assert.deepEqual([...(state.outbox[0]?.body ?? [])], [2, 0, 255]);
      assert.deepEqual(state.numbers, [["a:b", 3]]);
      assert.deepEqual(state.chains, [["a:b", "p:1"]]);
      assert.equal(state.conversations[0]?.position, 2);
      await again.commit({ discarded: [local("a:b", 2), local("a:c", 1)] });
      assert.deepEqual((await again.load()).outbox, []);
      await again.close();
    });

    test("pages of messages, both ways", async () => {
      const { storage, reopen } = await make();
      for (let seq = 1; seq <= 30; seq++)
        await storage.commit({ messages: [message("a:b", seq), message("g", seq * 2)], durable: false });
      const again = await reopen();
      const seqs = async (...of: Parameters<Storage["messages"]>): Promise<number[]> =>
        (await again.messages(...of)).map(({ seq }) => seq);
      assert.deepEqual(await seqs("a:b", { before: 31 }, 3), [30, 29, 28]);
      assert.deepEqual(await seqs("a:b", { before: 3 }, 10), [2, 1]);
      assert.deepEqual(await seqs("a:b", { after: 27 }, 10), [28, 29, 30]);
      assert.deepEqual(await seqs("a:b", { after: 0 }, 2), [1, 2]);
      assert.deepEqual(await seqs("g", { before: 7 }, 10), [6, 4, 2]);
      assert.deepEqual(await seqs("none", { before: 7 }, 10), []);
      assert.equal(
        new TextDecoder().decode((await again.messages("a:b", { after: 0 }, 1))[0]?.body),
        "m1 鸿雁",
      );
      // Older pages come later, and twice.
      await again.commit({ messages: [message("h", 5), message("h", 6)] });
      await again.commit({ messages: [message("h", 3), message("h", 4), message("h", 5)] });
      assert.deepEqual(await seqs("h", { after: 0 }, 10), [3, 4, 5, 6]);
      await again.close();
    });

    test("a reset forgets what came from the server and keeps what is ours", async () => {
      const { storage } = await make();
      await storage.commit({
        installation,
        outbox: [local("a:b", 1)],
        numbers: [["a:b", 2]],
        chains: [["a:b", "p:0"]],
        conversations: [record("a:b", 4)],
        messages: [message("a:b", 4)],
      });
      await storage.commit({
        reset: true,
        installation: { ...installation, epoch: "e2" },
        messages: [message("a:b", 1)],
      });
      const state = await storage.load();
      assert.equal(state.installation?.epoch, "e2");
      assert.equal(state.outbox.length, 1);
      assert.deepEqual(state.numbers, [["a:b", 2]]);
      assert.deepEqual(state.chains, []);
      assert.deepEqual(state.conversations, []);
      assert.deepEqual(
        (await storage.messages("a:b", { after: 0 }, 9)).map(({ seq }) => seq),
        [1],
      );
      await storage.close();
    });
  });
}

test("the cache is bounded: the newest messages of each conversation stay", async () => {
  const file = await directory();
  const storages: Storage[] = [
    new MemoryStorage({ messagesMax: 100 }),
    new FileStorage({ directory: file, messagesMax: 100 }),
    new IndexedDbStorage("bounded", { messagesMax: 100 }),
  ];
  for (const storage of storages) {
    for (let seq = 1; seq <= 500; seq += 10)
      await storage.commit({
        durable: false,
        messages: Array.from({ length: 10 }, (_, i) => message("a:b", seq + i)),
      });
    const kept = await storage.messages("a:b", { before: 1_000 }, 1_000);
    assert.ok(kept.length >= 100 && kept.length <= 200, `${kept.length} kept`);
    assert.equal(kept[0]?.seq, 500);
    await storage.close();
  }
});

test("G1 a torn tail of the journal is cut off, wherever it was torn", async () => {
  const at = await directory();
  const path = join(at, "journal.jsonl");
  const first = new FileStorage({ directory: at });
  await first.commit({ outbox: [local("a:b", 1)] });
  const whole = (await stat(path)).size;
  await first.commit({ outbox: [local("a:b", 2)] });
  await first.close();
  const content = await readFile(path);
  for (let size = whole; size < content.length; size += 7) {
    await writeFile(path, content.subarray(0, size));
    const again = new FileStorage({ directory: at });
    assert.deepEqual(
      (await again.load()).outbox.map(({ clientMessageId }) => clientMessageId),
      ["p:1"],
    );
    await again.commit({ outbox: [local("a:b", 3)] });
    await again.close();
    const third = new FileStorage({ directory: at });
    assert.equal((await third.load()).outbox.length, 2);
    await third.close();
  }
  // A line of garbage, as a file system may leave it behind after a crash.
  await writeFile(path, content.subarray(0, whole));
  await appendFile(path, Buffer.concat([Buffer.alloc(300), Buffer.from("\n"), content.subarray(whole)]));
  const last = new FileStorage({ directory: at });
  assert.equal((await last.load()).outbox.length, 1);
  await last.close();
});

test("the journal is written anew when it has grown, and stays whole", async () => {
  const at = await directory();
  const storage = new FileStorage({ directory: at, compactBytesMin: 10_000, messagesMax: 10 });
  await storage.commit({ installation, outbox: [local("a:b", 1)] });
  for (let seq = 1; seq <= 500; seq++)
    await storage.commit({
      durable: false,
      messages: [message("a:b", seq)],
      conversations: [record("a:b", seq)],
    });
  assert.ok((await stat(join(at, "journal.jsonl"))).size < 30_000);
  await storage.close();
  const again = new FileStorage({ directory: at });
  const state = await again.load();
  assert.equal(state.outbox.length, 1);
  assert.equal(state.conversations[0]?.position, 500);
  assert.equal((await again.messages("a:b", { before: 501 }, 1))[0]?.seq, 500);
  await again.close();
});

test("a second client on the same folder is refused clearly, a dead one's lock is taken over", async () => {
  const at = await directory();
  const storage = new FileStorage({ directory: at });
  await storage.load();
  await assert.rejects(new FileStorage({ directory: at }).load(), /in use by this process/);
  await storage.close();
  const code = `
    const { FileStorage } = await import(${JSON.stringify(join(import.meta.dirname, "../src/storage/file-storage.ts"))});
    const storage = new FileStorage({ directory: ${JSON.stringify(at)} });
    await storage.commit({ numbers: [["a:b", 7]] });
    console.log("ready");
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  await assert.rejects(
    new FileStorage({ directory: at }).load(),
    new RegExp(`in use by process ${child.pid}`),
  );
  child.kill("SIGKILL");
  await once(child, "exit");
  const again = new FileStorage({ directory: at });
  assert.deepEqual((await again.load()).numbers, [["a:b", 7]]);
  await again.close();
});

test("G1 a write that fails in the middle leaves nothing behind, and the journal is written anew before it is trusted", async (t) => {
  const at = await directory();
  const storage = new FileStorage({ directory: at });
  await storage.commit({ outbox: [local("a:b", 1)] });
  const handle = await open(join(at, "other"), "a");
  const files: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  // The disk is full: half of the line is written.
  const full = t.mock.method(files, "appendFile", async function (this: FileHandle, line: Buffer) {
    await this.write(line.subarray(0, line.length / 2));
    throw new Error("ENOSPC: no space left on device");
  });
  await assert.rejects(storage.commit({ outbox: [local("a:b", 2)] }), /ENOSPC/);
  assert.equal((await storage.load()).outbox.length, 1);
  full.mock.restore();
  await storage.commit({ outbox: [local("a:b", 3)] });
  // A sync that fails: whether the line is on disk is open, so it is not said to be.
  const sick = t.mock.method(files, "datasync", () => Promise.reject(new Error("EIO: input/output error")));
  await assert.rejects(storage.commit({ outbox: [local("a:b", 4)] }), /EIO/);
  sick.mock.restore();
  await storage.commit({ outbox: [local("a:b", 5)] });
  await storage.close();
  const again = new FileStorage({ directory: at });
  assert.deepEqual(
    (await again.load()).outbox.map(({ time }) => time),
    [1, 3, 5],
  );
  await again.close();
});

test("a commit to IndexedDB that fails writes nothing", async () => {
  const storage = new IndexedDbStorage("atomic");
  const broken = { ...message("a:b", 2), body: (() => undefined) as unknown as Uint8Array };
  await assert.rejects(
    storage.commit({ conversations: [record("a:b", 2)], messages: [message("a:b", 1), broken] }),
  );
  assert.deepEqual((await storage.load()).conversations, []);
  assert.deepEqual(await storage.messages("a:b", { after: 0 }, 9), []);
  await storage.commit({ conversations: [record("a:b", 1)], messages: [message("a:b", 1)] });
  assert.equal((await storage.load()).conversations.length, 1);
  await storage.close();
});

test("two tabs add to one outbox in IndexedDB, each in its order", async () => {
  const one = new IndexedDbStorage("tabs");
  const other = new IndexedDbStorage("tabs");
  await Promise.all(
    [1, 2, 3].flatMap((n) => [
      one.commit({ outbox: [local("a:b", n)] }),
      other.commit({ outbox: [local("a:c", n)] }),
    ]),
  );
  const { outbox } = await one.load();
  for (const conversation of ["a:b", "a:c"])
    assert.deepEqual(
      outbox.filter((row) => row.conversation === conversation).map(({ time }) => time),
      [1, 2, 3],
    );
  await one.close();
  await other.close();
});
