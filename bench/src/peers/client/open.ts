import type { PeerClient, PeerEndpoint, PeerEvents, PeerLogin } from "../peer-client.ts";
import { AmqpClient } from "./amqp.ts";
import { HongyanClient } from "./hongyan.ts";
import { HongyanGroupsClient } from "./hongyan-groups.ts";
import { MqttClient } from "./mqtt.ts";
import { NatsClient } from "./nats.ts";
import { SocketioClient } from "./socketio.ts";

import { XmppClient } from "./xmpp.ts";

/** Whether it takes part in a group, and does not only read it or only write to it. */
function isMember({ reads, writes }: PeerLogin): boolean {
  return reads[0]?.kind === "group" && writes.length > 0;
}

export function openPeer(endpoint: PeerEndpoint, login: PeerLogin, events: PeerEvents): PeerClient {
  switch (endpoint.protocol) {
    case "hongyan":
      return isMember(login)
        ? new HongyanGroupsClient(endpoint, login, events)
        : new HongyanClient(endpoint, login, events);
    case "mqtt":
      return new MqttClient(endpoint.port, login, events);
    case "nats":
      return new NatsClient(endpoint, login, events);
    case "socketio":
      return new SocketioClient(endpoint.port, login, events);
    case "amqp":
      return new AmqpClient(endpoint.port, login, events);
    case "xmpp":
      return new XmppClient(endpoint.port, login, events);
  }
}
