/**
 * `npm run check`: everything that must hold before a change is handed on, in under two minutes. Steps run two at a
 * time; one that fails shows its whole output. `npm run check -- types documents` runs only these steps.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runSteps, type Step } from "./check/steps.ts";
import { root } from "./root.ts";
import { fastFiles } from "./suite/files.ts";

const bin = (name: string) => join(root, "node_modules/.bin", name);
const node = process.execPath;
const simulator = "packages/testkit/src/sim.ts";

const steps: readonly Step[] = [
  { name: "format and lint", key: "lint", command: [bin("biome"), "ci", "--colors=off", "."] },
  { name: "types", key: "types", command: [bin("tsc"), "-p", "."] },
  { name: "direction and size", key: "direction", command: [node, "tools/direction.ts"] },
  { name: "documents", key: "documents", command: [node, "tools/documents.ts"] },
  {
    name: "unit and contract tests",
    key: "tests",
    command: [node, "--test", "--test-concurrency=2", "--test-reporter=dot", ...(await fastFiles())],
  },
  {
    name: "counts",
    key: "counts",
    command: [node, "bench/src/main.ts", "counts"],
    skip: process.platform === "linux" ? undefined : "only Linux counts system calls in /proc",
  },
  {
    name: "simulation",
    key: "simulation",
    command: [node, simulator, "--seeds", "40"],
    skip: existsSync(join(root, simulator)) ? undefined : `there is no ${simulator}`,
  },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((key) => !steps.some((step) => step.key === key));
if (unknown.length > 0) {
  const known = steps.map(({ key }) => key).join(" ");
  console.error(`npm run check: there is no step ${unknown.join(", ")}; the steps are: ${known}`);
  process.exit(2);
}
process.exitCode = (await runSteps(
  steps.filter(({ key }) => wanted.length === 0 || wanted.includes(key)),
  root,
))
  ? 0
  : 1;
