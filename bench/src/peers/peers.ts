import { aedes } from "./system/aedes.ts";
import { ejabberd } from "./system/ejabberd.ts";
import { hongyan } from "./system/hongyan.ts";
import { mosquitto } from "./system/mosquitto.ts";
import { nats } from "./system/nats.ts";
import { rabbitmq } from "./system/rabbitmq.ts";
import { socketio } from "./system/socketio.ts";
import type { Peer } from "./system/system.ts";
import { packageVersion } from "./version.ts";

/** All of them, ours first. */
export const peers: readonly Peer[] = [
  hongyan(packageVersion("@hongyan/server")),
  mosquitto,
  nats,
  rabbitmq,
  ejabberd,
  socketio,
  aedes,
];
