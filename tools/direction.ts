/**
 * `node tools/direction.ts [FOLDER]`: fails where an import goes against the direction of the house, is not
 * declared, closes a cycle, or where the rules touch the world without a port. Prints `file:line: rule`.
 */
import { checkHouse } from "./direction/house.ts";
import { root } from "./root.ts";

const objections = await checkHouse(process.argv[2] ?? root);
for (const { file, line, rule } of objections) console.error(`${file}:${line}: ${rule}`);
process.exitCode = objections.length === 0 ? 0 : 1;
