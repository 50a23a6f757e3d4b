import assert from "node:assert/strict";
import { test } from "node:test";
import { newOperation, PublishWriter, readOperation, writeAck } from "../../src/peers/wire/nats.ts";
import { atEveryCut, Sink } from "./sink.ts";

test("publishes have the subject, the numbered reply and the size", () => {
  const sink = new Sink();
  new PublishWriter("inbox.u1", undefined).write(sink, Buffer.from("hello"), 1);
  const writer = new PublishWriter("group.g", "_INBOX.u0.");
  writer.write(sink, Buffer.from("hello world"), 42);
  writer.write(sink, Buffer.from("bye"), 43);
  assert.equal(
    sink.bytes.toString(),
    "PUB inbox.u1 5\r\nhello\r\nPUB group.g _INBOX.u0.00000042 11\r\nhello world\r\nPUB group.g _INBOX.u0.00000043 3\r\nbye\r\n",
  );
});

test("messages are read with and without a reply, and not before they are whole", () => {
  const operation = newOperation();
  const part = (bytes: Buffer, from: number, to: number) => bytes.toString("utf8", from, to);
  for (const reply of ["", "$JS.ACK.BENCH.u1.1.1.1.1.0 "]) {
    const bytes = Buffer.from(`MSG inbox.u1 1 ${reply}12\r\nhello\r\nworld\r\n`);
    assert.ok(atEveryCut(bytes, (limit) => readOperation(bytes, 0, limit, operation)));
    const { subjectStart, subjectEnd, replyStart, replyEnd, bodyStart, bodyEnd, end } = operation;
    assert.equal(part(bytes, subjectStart, subjectEnd), "inbox.u1");
    assert.equal(part(bytes, replyStart, replyEnd), reply.trim());
    assert.equal(part(bytes, bodyStart, bodyEnd), "hello\r\nworld");
    assert.equal(end, bytes.length);
  }
});

test("other operations are a line", () => {
  const bytes = Buffer.from("PING\r\n-ERR 'no'\r\n");
  const operation = newOperation();
  assert.ok(readOperation(bytes, 0, bytes.length, operation));
  assert.deepEqual([operation.isMessage, operation.lineEnd, operation.end], [false, 4, 6]);
});

test("an acknowledgement is an empty message to the reply", () => {
  const sink = new Sink();
  const reply = Buffer.from("..$JS.ACK.x..");
  writeAck(sink, reply, 2, 11);
  assert.equal(sink.bytes.toString(), "PUB $JS.ACK.x 0\r\n\r\n");
});
