/** The load generator: a process of its own. */
import { serveJobs } from "../process/child.ts";
import { backlog, fill } from "./backlog.ts";
import { beginCrash, recordCrash } from "./crash.ts";
import { direct } from "./direct.ts";
import { fanout } from "./fanout.ts";
import { dial, hangUp } from "./idle.ts";
import { beginStay, endStay, recordedStay, recordStay } from "./stay.ts";
import { returnAll } from "./storm.ts";

const crash = { beginCrash, recordCrash };
const stay = { beginStay, recordStay, recordedStay, endStay };

serveJobs({ direct, fanout, dial, hangUp, fill, backlog, returnAll, ...crash, ...stay });
