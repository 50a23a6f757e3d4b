import assert from "node:assert/strict";
import { test } from "node:test";
import { GroupRead } from "../../src/postgres/group-read.ts";

/** What was asked together, and the means to answer it. */
function questioned() {
  const asked: { readonly questions: readonly number[]; answer(): void; fail(error: Error): void }[] = [];
  const reads = new GroupRead((questions: readonly number[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    asked.push({ questions, answer: () => resolve(questions.map((one) => `a${one}`)), fail: reject });
    return promise;
  });
  return { asked, reads };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("what is asked in one tick leaves together, and everybody gets their own answers", async () => {
  const { asked, reads } = questioned();
  const answers = Promise.all([reads.read([1, 2]), reads.read([]), reads.read([3])]);
  await turn();
  assert.deepEqual(
    asked.map(({ questions }) => questions),
    [[1, 2, 3]],
  );
  asked[0]?.answer();
  assert.deepEqual(await answers, [["a1", "a2"], [], ["a3"]]);
});

test("two are under way at most; what comes meanwhile leaves with the first that ends", async () => {
  const { asked, reads } = questioned();
  const answers: Promise<string[]>[] = [];
  for (let n = 1; n <= 5; n++) {
    answers.push(reads.read([n]));
    await turn();
  }
  assert.deepEqual(
    asked.map(({ questions }) => questions),
    [[1], [2]],
  );
  assert.equal(reads.waiting, 3);
  asked[1]?.answer();
  await turn();
  assert.deepEqual(asked[2]?.questions, [3, 4, 5]);
  asked[2]?.answer();
  asked[0]?.answer();
  assert.deepEqual((await Promise.all(answers)).flat(), ["a1", "a2", "a3", "a4", "a5"]);
});

test("a read that fails fails for those who asked, and the next one is asked", async () => {
  const { asked, reads } = questioned();
  const failed = [reads.read([1]), reads.read([2])];
  await turn();
  asked[0]?.fail(new Error("gone"));
  for (const read of failed) await assert.rejects(read, /gone/);
  const next = reads.read([3]);
  await turn();
  asked[1]?.answer();
  assert.deepEqual(await next, ["a3"]);
});

test("no statement has more than a thousand questions, but of one who asks more", async () => {
  const { asked, reads } = questioned();
  const many = (count: number) => Array.from({ length: count }, (_, n) => n);
  const answers = [600, 300, 200, 2_000, 5].map((count) => reads.read(many(count)));
  for (let n = 0; n < 4; n++) {
    await turn();
    for (const { answer } of asked) answer();
  }
  assert.deepEqual(
    asked.map(({ questions }) => questions.length),
    [900, 200, 2_000, 5],
  );
  assert.deepEqual(
    (await Promise.all(answers)).map(({ length }) => length),
    [600, 300, 200, 2_000, 5],
  );
});
