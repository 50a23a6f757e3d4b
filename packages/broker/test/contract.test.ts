import { after, before, suite } from "node:test";
import type { NodeEvent } from "@hongyan/core";
import { MemoryBroker } from "@hongyan/core/memory";
import { NatsServer, natsMissing } from "@hongyan/testkit/nats";
import { brokerContract } from "../src/contract.ts";
import { NatsBroker } from "../src/nats/index.ts";
import { silent } from "./silent.ts";

brokerContract("MemoryBroker", async () => ({
  brokers: [new MemoryBroker<NodeEvent>()],
  settle: async () => undefined,
  dispose: async () => undefined,
}));

suite("with a real NATS server", { skip: natsMissing }, () => {
  let server: NatsServer;
  before(async () => {
    server = await NatsServer.start();
  });
  after(() => server.stop());

  brokerContract("NatsBroker", async (nodes) => {
    const brokers: NatsBroker[] = [];
    for (let n = 0; n < nodes; n++)
      brokers.push(await NatsBroker.open({ url: server.url, node: `node-${n}`, journal: silent }));
    return {
      brokers,
      settle: () => settled(brokers),
      dispose: async () => {
        await Promise.all(brokers.map((broker) => broker.close()));
      },
    };
  });
});

/** What all have sent is with the server after one round, and what it had for each has come after another. */
async function settled(brokers: readonly NatsBroker[]): Promise<void> {
  for (let round = 0; round < 2; round++) await Promise.all(brokers.map((broker) => broker.flush()));
}
