/** The entry: two machines with the Nginx and Keepalived of `deploy/`, one address, and one of them dies. */
import { test } from "node:test";
import { enginesMissing } from "./cluster.ts";
import { ensureEntryPrograms, whyNoMachines } from "./entry/programs.ts";
import { runInWorld } from "./entry/world.ts";

const skip = enginesMissing || whyNoMachines();
if (skip !== false) console.error(`${"!".repeat(100)}\n! ${skip}\n${"!".repeat(100)}`);

test("G1 G2 G3 G4 G7 the entry machine dies under people who write: the address moves, nothing lost, nothing twice, one order", {
  skip,
  timeout: 360_000,
}, async (t) => {
  await ensureEntryPrograms();
  for (const line of (await runInWorld("drill.ts", t.signal)).trim().split("\n")) t.diagnostic(line);
});
