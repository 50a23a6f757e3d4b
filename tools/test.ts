/**
 * `npm test`: the whole suite. Most files run two at a time, then those with a browser; those of the whole system
 * (`test/`: real processes and sockets) one after another, so that timings mean something on two cores.
 * Arguments choose files by a part of their path: `npm test -- outbox conversation`.
 */
import { suiteFiles } from "./suite/files.ts";
import { runSuite } from "./suite/suite.ts";

const wanted = process.argv.slice(2);
const { parallel, browser, serial } = await suiteFiles(wanted);
if (parallel.length + browser.length + serial.length === 0) {
  const parts = wanted.map((part) => `"${part}"`).join(" or ");
  console.error(
    `npm test: no test file has ${parts} in its path; for example: npm test -- outbox conversation`,
  );
  process.exit(2);
}
process.exitCode = (await runSuite([
  { files: parallel, concurrency: 2, timeoutMs: 420_000 },
  { files: browser, concurrency: 2, timeoutMs: 420_000 },
  { files: serial, concurrency: 1, timeoutMs: 420_000 },
]))
  ? 0
  : 1;
