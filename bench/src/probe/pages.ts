/**
 * What the machine allows: frames that lie ready in LevelDB, read and written page by page. The request for the next
 * page is stored (`sync: true`) before it is answered.
 */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { decodeFrame } from "@hongyan/protocol";
import { ClassicLevel } from "classic-level";
import { serveJobs } from "../process/child.ts";
import { encode, frameCode, idOf, typeOf } from "../wire/frame-bytes.ts";
import { answerConnect } from "./handshake.ts";

const pageMessages = 1000;

interface Input {
  readonly directory: string;
  readonly senders: number;
  readonly messagesEach: number;
  readonly bodyBytes: number;
}

let database: ClassicLevel<Buffer, Buffer>;

async function listen(input: Input): Promise<{ port: number }> {
  database = new ClassicLevel<Buffer, Buffer>(input.directory, {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
  });
  await database.open();
  await fill(input);
  const server = createServer({ noDelay: true }, serve);
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  return { port: (server.address() as AddressInfo).port };
}

async function fill({ senders, messagesEach, bodyBytes }: Input): Promise<void> {
  const body = Buffer.alloc(bodyBytes, "hongyan ");
  for (let sender = 0; sender < senders; sender++) {
    const batch = [];
    for (let seq = 1; seq <= messagesEach; seq++) {
      const value = Buffer.from(
        encode({
          type: "message",
          id: 0,
          conversation: `r:s${sender}`,
          seq,
          from: `s${sender}`,
          time: Date.now(),
          clientMessageId: `b:${seq}`,
          body,
        }),
      );
      batch.push({ type: "put" as const, key: key(1, sender * messagesEach + seq), value });
    }
    await database.batch(batch, { sync: true });
  }
}

function key(table: number, number: number): Buffer {
  const bytes = Buffer.alloc(9, table);
  bytes.writeUIntBE(number, 3, 6);
  return bytes;
}

function serve(socket: Socket): void {
  const iterator = database.iterator({ gte: key(1, 0), lt: key(2, 0), highWaterMarkBytes: 1 << 22 });
  let pages = 0;
  socket.on("error", () => socket.destroy());
  socket.on("close", () => void iterator.close());
  socket.on("data", (bytes: Buffer) => {
    for (let at = 0; at + 12 <= bytes.length; at += 4 + bytes.readUInt32BE(at)) {
      const end = at + 4 + bytes.readUInt32BE(at);
      if (typeOf(bytes, at) !== frameCode.sync) socket.write(answerConnect(bytes, at, end).reply);
      else page(idOf(bytes, at), decodeFrame(bytes, at, end).frame.type).catch(() => socket.destroy());
    }
  });

  async function page(id: number, type: string): Promise<void> {
    if (pages++ > 0) await database.put(key(3, 0), Buffer.from(`${type} ${pages}`), { sync: true });
    const entries = await iterator.nextv(pageMessages);
    const reply = encode({ type: "sync.ok", id, count: entries.length, more: entries.length > 0 });
    socket.write(Buffer.concat([...entries.map(([, value]) => value), reply]));
  }
}

serveJobs({ listen });
