/** What the machine allows: a loop that writes one frame to each of many sockets, one `write` each, again and again. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { serveJobs } from "../process/child.ts";
import { encode, frameCode, idOf, typeOf } from "../wire/frame-bytes.ts";
import { answerConnect } from "./handshake.ts";

/** A socket that has not taken so much is passed over until it has. */
const queuedBytesMax = 64 * 1024;

const sockets: Socket[] = [];
let wanted = 0;
let readyCount = 0;
let seq = 0;

/** Readers sign in and ask for their backlog, as they do with a server. */
function serve(socket: Socket): void {
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes: Buffer) => {
    for (let at = 0; at + 12 <= bytes.length; at += 4 + bytes.readUInt32BE(at)) {
      if (typeOf(bytes, at) === frameCode.sync) {
        socket.write(encode({ type: "sync.ok", id: idOf(bytes, at), count: 0, more: false }));
        sockets.push(socket);
        if (++readyCount === wanted) loop();
      } else if (typeOf(bytes, at) !== frameCode.ack) {
        socket.write(answerConnect(bytes, at, at + 4 + bytes.readUInt32BE(at)).reply);
      }
    }
  });
}

function loop(): void {
  const body = Buffer.alloc(bodyBytes);
  body.writeDoubleBE(performance.now(), 0);
  body.writeUInt32BE(++seq, 8);
  const frame = encode({
    type: "message",
    id: 0,
    conversation: "g",
    seq,
    from: "s",
    time: 0,
    clientMessageId: "f:1",
    body,
  });
  let isAnyFull = false;
  for (const socket of sockets) {
    if (socket.writableLength > queuedBytesMax) isAnyFull = true;
    else socket.write(frame);
  }
  // A round later, so that what the sockets could not take goes out between two rounds.
  if (isAnyFull) setTimeout(loop, 1);
  else setImmediate(loop);
}

let bodyBytes = 0;

async function listen(input: { sockets: number; bodyBytes: number }): Promise<{ port: number }> {
  wanted = input.sockets;
  bodyBytes = input.bodyBytes;
  const server = createServer({ noDelay: true }, serve);
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve));
  return { port: (server.address() as AddressInfo).port };
}

serveJobs({ listen });
