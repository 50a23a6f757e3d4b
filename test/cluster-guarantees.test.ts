/** The guarantees on three nodes over two PostgreSQL servers and NATS: every client and every request goes to another node. */
import { describe } from "node:test";
import { enginesMissing } from "./cluster.ts";
import { doors } from "./doors.ts";
import { guarantees } from "./guarantees.ts";
import { Site } from "./site.ts";

describe("G7 three nodes", { skip: enginesMissing }, () => {
  const some = (...names: string[]) => doors.filter(({ name }) => names.includes(name));
  guarantees({
    open: () => Site.ofThree({ repushAfterMs: 2000, receiptsEveryMs: 20 }),
    doors: some("websocket", "long poll"),
    backlogDoors: some("tcp"),
  });
});
