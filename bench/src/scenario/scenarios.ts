import { backlog } from "./backlog.ts";
import { direct } from "./direct.ts";
import { fanout } from "./fanout.ts";
import { idle } from "./idle.ts";
import type { Scenario } from "./scenario.ts";
import { store } from "./store.ts";
import { storm } from "./storm.ts";

/** All scenarios, in the order in which they run. */
export const scenarios: readonly Scenario[] = [direct, fanout, idle, backlog, storm, store];
