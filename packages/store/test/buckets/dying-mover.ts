/** A process that moves a bucket, and is killed when a phase begins: `node dying-mover.ts URLS BUCKET TARGET PHASE`. */
import { moveBuckets } from "@hongyan/store/buckets";

const [urls = "", bucket, target = "", dying] = process.argv.slice(2);
const move = moveBuckets({
  urls: new Map(JSON.parse(urls)),
  buckets: [Number(bucket)],
  target,
  report: ({ phase }) => {
    if (phase === dying) process.kill(process.pid, "SIGKILL");
  },
  signal: new AbortController().signal,
});
for await (const moved of move) process.stdout.write(`${JSON.stringify(moved)}\n`);
