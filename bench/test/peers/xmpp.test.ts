import assert from "node:assert/strict";
import { test } from "node:test";
import { attribute, digitsFrom, elementEnd, find, xmlText } from "../../src/peers/wire/xmpp.ts";
import { atEveryCut } from "./sink.ts";

test("elements end with their last tag, and not before it is there", () => {
  for (const text of [
    "<a h='1'/>",
    "<message from='u'><body>a &lt; b</body><x><y/></x></message>",
    "<iq type='result'><bind><jid>u@localhost/r</jid></bind></iq>",
  ]) {
    const bytes = Buffer.from(text);
    assert.ok(
      atEveryCut(bytes, (limit) => elementEnd(bytes, 0, limit) === bytes.length),
      text,
    );
    const followed = Buffer.from(`${text}<a/>`);
    assert.equal(elementEnd(followed, 0, followed.length), bytes.length);
  }
});

test("the head of a stream ends with its tag", () => {
  const head = "<?xml version='1.0'?>";
  const bytes = Buffer.from(`${head}<stream:stream id='1'><stream:features/>`);
  assert.equal(elementEnd(bytes, 0, bytes.length), head.length);
  assert.equal(elementEnd(bytes, head.length, bytes.length), head.length + "<stream:stream id='1'>".length);
});

test("attributes are found with either quotation mark", () => {
  const value = { start: 0, end: 0 };
  for (const quote of ["'", '"']) {
    const bytes = Buffer.from(`<a xmlns=${quote}urn:xmpp:sm:3${quote} h=${quote}42${quote}/>`);
    assert.ok(attribute(bytes, 0, bytes.length, Buffer.from(" h="), value));
    assert.equal(digitsFrom(bytes, value.start), 42);
    assert.equal(bytes.toString("utf8", value.start, value.end), "42");
    assert.ok(!attribute(bytes, 0, bytes.length, Buffer.from(" id="), value));
  }
  const two = Buffer.from("<a/><b>");
  assert.equal(find(two, 0, 4, Buffer.from("<b>")), -1, "what lies behind the range is not found");
});

test("text of people becomes the content of an element, whatever is in it", () => {
  const written = (text: string) => xmlText(Buffer.from(text)).toString();
  assert.equal(written("a < b && c > d"), "a &lt; b &amp;&amp; c &gt; d");
  assert.equal(written("鸿雁 🪿 'x' \"y\"\n\t"), "鸿雁 🪿 'x' \"y\"\n\t");
  assert.equal(written("one\r\ntwo"), "one&#13;\ntwo", "a reader of XML would make one line end of it");
  assert.equal(written("\u0002bold\u0000\uffff"), "\ufffdbold\ufffd\ufffd");
  const body = Buffer.from("0000100000002</body></message>");
  const stanza = Buffer.concat([
    Buffer.from("<message><body>"),
    xmlText(body),
    Buffer.from("</body></message>"),
  ]);
  assert.equal(elementEnd(stanza, 0, stanza.length), stanza.length);
});
