import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { scriptOf } from "../src/replay/script.ts";
import { makeTrace, readTrace } from "../src/trace.ts";
import { UsageError } from "../src/usage.ts";

const folder = mkdtempSync(join(tmpdir(), "hongyan-trace-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function refuses(path: string, reason: RegExp): void {
  assert.throws(
    () => readTrace(path),
    (error) => error instanceof UsageError && reason.test(error.message),
  );
}

const lines = '[0,1,1,1,"a"]\n[2.5,"x",1,2,"ü🪿"]\n';

test("a trace is read plain and compressed", () => {
  const expected = [
    { seconds: 0, group: 1, thread: 1, user: 1, text: "a" },
    { seconds: 2.5, group: "x", thread: 1, user: 2, text: "ü🪿" },
  ];
  assert.deepEqual(readTrace(file("plain.jsonl", lines)), expected);
  assert.deepEqual(readTrace(file("packed.jsonl.gz", gzipSync(lines))), expected);
});

test("what is no trace is refused with the reason and the line", () => {
  refuses(join(folder, "nowhere.jsonl"), /no such file/);
  refuses(folder, /is a directory/);
  refuses(file("not.gz", lines), /not compressed with gzip/);
  refuses(file("cut.gz", gzipSync(lines).subarray(0, 20)), /is damaged/);
  refuses(file("latin1.jsonl", Buffer.from([0x5b, 0xff, 0x5d])), /not UTF-8/);
  refuses(file("empty.jsonl", "\n\n"), /holds no message/);
  refuses(file("json.jsonl", `${lines}{oops\n`), /line 3: not JSON/);
  refuses(file("object.jsonl", `${lines}\n{"a":1}\n`), /line 4: not an array/);
  refuses(file("short.jsonl", "[1,2,3]\n"), /line 1: not an array/);
  refuses(file("seconds.jsonl", '["0",1,1,1,"a"]\n'), /line 1: seconds must be a number/);
  refuses(file("user.jsonl", '[0,1,1,null,"a"]\n'), /line 1: group, thread and user/);
  refuses(file("text.jsonl", "[0,1,1,1,7]\n"), /line 1: text must be a string/);
  refuses(file("surrogate.jsonl", '[0,1,1,1,"\\ud800"]\n'), /line 1: text is not well-formed/);
  refuses(file("back.jsonl", '[5,1,1,1,"a"]\n[4,1,1,1,"b"]\n'), /line 2: goes back in time/);
});

test("a made-up trace depends on nothing but its seed", () => {
  const options = { messages: 200, users: 20, groups: 4 };
  const trace = makeTrace({ seed: 7, ...options });
  assert.deepEqual(makeTrace({ seed: 7, ...options }), trace);
  assert.notDeepEqual(makeTrace({ seed: 8, ...options }), trace);
  assert.equal(new Set(trace.map(({ user }) => user)).size, 20);
});

test("members of a group are all who ever write in it, and nobody else", () => {
  const trace = makeTrace({ seed: 1, messages: 300, users: 30, groups: 5 });
  const script = scriptOf(trace, 1000, 1000);
  assert.equal(script.lines.length, 300);
  script.groups.forEach(({ members }, group) => {
    const writers = new Set(script.lines.filter((line) => line.group === group).map(({ user }) => user));
    assert.deepEqual(new Set(members), writers);
  });
  const part = scriptOf(trace, 10, 50);
  assert.equal(part.lines.length, 50);
  assert.equal(part.users, 10);
});
