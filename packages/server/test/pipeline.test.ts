import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createHttpServer } from "../src/http/http-server.ts";
import { RawSocket, until } from "./transport/raw-socket.ts";

const answer = "x".repeat(100_000);
const request = "GET /answer HTTP/1.1\r\nHost: a\r\n\r\n";

/** A server with one answer; how often it was asked for. */
async function world(t: TestContext): Promise<{ readonly port: number; asked(): number }> {
  let count = 0;
  const { server, app } = createHttpServer({
    journal: { info() {}, warn() {} },
    origins: { allows: () => true },
    held: { handle: () => false },
  });
  app.get("/answer", () => {
    count++;
    return answer;
  });
  await app.ready();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked: () => count };
}

test("G8 a socket that sends hundreds of requests at once and reads nothing is ended", async (t) => {
  const { port, asked } = await world(t);
  const client = await RawSocket.open(port);
  client.write(request.repeat(1000));
  await client.ends();
  assert.ok(asked() <= 16, `${asked()} answers were made`);
});

test("a socket that reads each answer may ask for ever, and a few at once are answered in order", async (t) => {
  const { port, asked } = await world(t);
  const client = await RawSocket.open(port);
  t.after(() => client.destroy());
  for (let turn = 1; turn <= 50; turn++) {
    client.received = Buffer.alloc(0);
    client.write(request.repeat(turn % 10 === 0 ? 10 : 1));
    const bytes = answer.length * (turn % 10 === 0 ? 10 : 1);
    await until("the answers", () => client.received.length > bytes);
  }
  assert.equal(asked(), 95);
  assert.equal(client.hasEnded, false);
});
