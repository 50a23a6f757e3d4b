/** The load generator: a process of its own. */
import { peerDrain, peerFill, peerLeave } from "../peers/load/backlog.ts";
import { peerDirect } from "../peers/load/direct.ts";
import { peerFanout } from "../peers/load/fanout.ts";
import { peerDial, peerHangUp } from "../peers/load/idle.ts";
import { peerReturn } from "../peers/load/storm.ts";
import { peerTrace } from "../peers/load/trace.ts";
import { serveJobs } from "../process/child.ts";
import { backlog, fill } from "./backlog.ts";
import { direct } from "./direct.ts";
import { fanout } from "./fanout.ts";
import { dial, hangUp } from "./idle.ts";
import { returnAll } from "./storm.ts";

serveJobs({
  direct,
  fanout,
  dial,
  hangUp,
  fill,
  backlog,
  returnAll,
  peerDirect,
  peerFanout,
  peerDial,
  peerHangUp,
  peerLeave,
  peerFill,
  peerDrain,
  peerReturn,
  peerTrace,
});
