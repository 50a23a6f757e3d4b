import assert from "node:assert/strict";
import { test } from "node:test";
import { plantNamed, plantNames } from "../src/plants/plants.ts";
import { simulate } from "../src/simulate.ts";

const seedsMax = 200;

for (const name of plantNames) {
  const { breaks } = plantNamed(name);
  test(`${breaks.join(" ")} the planted bug ${name} is caught within ${seedsMax} seeds, and without it the seed is green`, async () => {
    for (let seed = 1; seed <= seedsMax; seed++) {
      const { objection } = await simulate(seed, { plant: name });
      if (objection === undefined) continue;
      // A bug that only keeps somebody from having everything shows in the end, whatever guarantee asks for it.
      const expected = [...breaks, "liveness"];
      assert.ok(expected.includes(objection.guarantee), `${objection.guarantee}: ${objection.text}`);
      const clean = await simulate(seed);
      assert.equal(clean.objection, undefined, `seed ${seed} is not green without it`);
      return;
    }
    assert.fail(`no checker objected`);
  });
}

test("every guarantee that the simulator checks has a planted bug", () => {
  const broken = new Set(plantNames.flatMap((name) => plantNamed(name).breaks));
  for (const guarantee of ["G1", "G2", "G3", "G4", "G5", "G8", "G10"] as const)
    assert.ok(broken.has(guarantee), guarantee);
});
