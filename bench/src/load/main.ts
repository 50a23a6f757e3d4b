/** The load generator: a process of its own. */
import { peerDrain, peerFill, peerLeave } from "../peers/load/backlog.ts";
import { peerDirect } from "../peers/load/direct.ts";
import { peerFanout } from "../peers/load/fanout.ts";
import { peerDial, peerHangUp } from "../peers/load/idle.ts";
import { peerReturn } from "../peers/load/storm.ts";
import { peerTrace } from "../peers/load/trace.ts";
import { serveJobs } from "../process/child.ts";
import { backlog, fill } from "./backlog.ts";
import { beginCrash, recordCrash } from "./crash.ts";
import { direct } from "./direct.ts";
import { fanout } from "./fanout.ts";
import { dial, hangUp, pingAll } from "./idle.ts";
import { beginStay, endStay, recordedStay, recordStay } from "./stay.ts";
import { returnAll } from "./storm.ts";

const crash = { beginCrash, recordCrash };
const stay = { beginStay, recordStay, recordedStay, endStay };
const peers = {
  peerDirect,
  peerFanout,
  peerDial,
  peerHangUp,
  peerLeave,
  peerFill,
  peerDrain,
  peerReturn,
  peerTrace,
};

serveJobs({ direct, fanout, dial, pingAll, hangUp, fill, backlog, returnAll, ...crash, ...stay, ...peers });
