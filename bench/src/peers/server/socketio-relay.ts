/** A Socket.IO server as people write it: whoever sends to a room is answered, and the room is asked to answer. */
import { createServer } from "node:http";
import { Server } from "socket.io";

const ackMsMax = 60_000;

const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false, pingInterval: 600_000 });
io.on("connection", (socket) => {
  socket.on("enter", (rooms: string[], done: () => void) => {
    socket.join(rooms);
    done();
  });
  socket.on("s", (room: string, body: string, done: () => void) => {
    // To all others: a sender that is in the room itself has its message already.
    socket
      .to(room)
      .timeout(ackMsMax)
      .emit("m", body, () => {});
    done();
  });
});
http.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
