/** A node as a process of its own, so that it can be stopped: tells its parent what its broker tells it. */
import { NatsBroker } from "../src/nats/index.ts";
import { nameOf } from "./events.ts";
import { silent } from "./silent.ts";

const say = (line: string) => process.send?.(line);
const broker = await NatsBroker.open({
  url: process.argv[2] ?? "",
  node: "slow",
  journal: silent,
  missed: () => say("missed"),
});
broker.subscribe("slow", (event) => {
  if (nameOf(event) !== "large") say(`heard ${nameOf(event)}`);
});
await broker.flush();
say("ready");
