/** The load generator: a process of its own. */
import { peerDirect } from "../peers/load/direct.ts";
import { peerFanout } from "../peers/load/fanout.ts";
import { serveJobs } from "../process/child.ts";
import { backlog, fill } from "./backlog.ts";
import { direct } from "./direct.ts";
import { fanout } from "./fanout.ts";
import { dial, hangUp } from "./idle.ts";
import { returnAll } from "./storm.ts";

serveJobs({ direct, fanout, dial, hangUp, fill, backlog, returnAll, peerDirect, peerFanout });
