import { backlog } from "./backlog.ts";
import { costs } from "./costs.ts";
import { crash } from "./crash.ts";
import { direct } from "./direct.ts";
import { fanout } from "./fanout.ts";
import { growth } from "./growth.ts";
import { idle } from "./idle.ts";
import { postgres } from "./postgres.ts";
import type { Scenario } from "./scenario.ts";
import { store } from "./store.ts";
import { storm } from "./storm.ts";
import { sustained } from "./sustained.ts";

/** All scenarios, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  direct,
  fanout,
  idle,
  backlog,
  storm,
  store,
  crash,
  sustained,
  growth,
  postgres,
  costs,
];
