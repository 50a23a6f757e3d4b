/** What the machine allows: a `net` server that holds connections and answers a sign-in, no more. */
import { type AddressInfo, createServer } from "node:net";
import { serveJobs } from "../process/child.ts";
import { encode, frameCode, idOf, typeOf } from "../wire/frame-bytes.ts";
import { answerConnect } from "./handshake.ts";

async function listen(): Promise<{ port: number }> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes: Buffer) => {
      for (let at = 0; at + 12 <= bytes.length; at += 4 + bytes.readUInt32BE(at)) {
        if (typeOf(bytes, at) === frameCode.sync)
          socket.write(encode({ type: "sync.ok", id: idOf(bytes, at), count: 0, more: false }));
        else socket.write(answerConnect(bytes, at, at + 4 + bytes.readUInt32BE(at)).reply);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve));
  return { port: (server.address() as AddressInfo).port };
}

serveJobs({ listen });
