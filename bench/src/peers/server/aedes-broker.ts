/** The MQTT broker aedes with what it has by default: everything in memory. */
import { createServer } from "node:net";
import { Aedes } from "aedes";

const broker = await Aedes.createBroker({ concurrency: 1000, heartbeatInterval: 600_000 });
createServer({ noDelay: true }, broker.handle).listen({
  port: Number(process.argv[2]),
  host: "127.0.0.1",
  backlog: 4096,
});
