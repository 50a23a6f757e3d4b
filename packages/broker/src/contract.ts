/**
 * What every broker must do, as tests. Best effort by contract, so that the suite asks for little: what it publishes
 * on a quiet cluster arrives, everything else must not disturb.
 *
 *     brokerContract("NatsBroker", async (count) => ({ brokers: [...], settle, dispose }));
 */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Audience, type Broker, type NodeEvent } from "@hongyan/core";

/** A cluster under test: one broker per node. */
export interface Cluster {
  readonly brokers: readonly Broker<NodeEvent>[];
  /** Resolves when what was subscribed and published before is where it belongs. */
  settle(): Promise<void>;
  dispose(): Promise<void>;
}

/** Makes a cluster of at least one node and at most `nodesMax`. */
export type OpenCluster = (nodesMax: number) => Promise<Cluster>;

const nodesMax = 3;

/** Names that break a careless encoding: separators, wildcards, escapes, look-alikes, very long ones, none at all. */
export const hostileSubjects: readonly string[] = [
  "",
  "a",
  "A",
  "a.b",
  "a b",
  "a/b",
  "a%2fb",
  "a%2eb",
  "*",
  ">",
  "a.*",
  "a.>",
  "%",
  "~",
  "\u0000",
  "a\tb",
  "a\r\nPUB b 0\r\n",
  "é",
  "e\u0301",
  "鸿雁",
  "\u{1f986}",
  "\ud800",
  "\ufffd",
  "x".repeat(160),
  "x".repeat(161),
  "x".repeat(10_000),
  `${"x".repeat(10_000)}y`,
  ".".repeat(100),
];

const noted = (name: string): NodeEvent => ({ kind: "conversation", conversation: name, seq: 1 });
const nameOf = (event: NodeEvent): string =>
  event.kind === "conversation" ? event.conversation : event.kind;

export function brokerContract(name: string, open: OpenCluster): void {
  const withCluster = async (work: (cluster: Cluster) => Promise<void>) => {
    const cluster = await open(nodesMax);
    try {
      await work(cluster);
    } finally {
      await cluster.dispose();
    }
  };
  /** Whom `publish` of each node in turn reaches. */
  const heard = async ({ brokers, settle }: Cluster, subjects: readonly string[], log: string[]) => {
    await settle();
    log.length = 0;
    brokers.forEach((broker, from) => {
      broker.publish(subjects, noted(`from${from}`));
    });
    await settle();
    return log.toSorted();
  };
  const listen = ({ brokers }: Cluster, subject: string, log: string[], as = subject) => {
    brokers.forEach((broker, at) => {
      broker.subscribe(subject, (event) => log.push(`${as} at ${at} ${nameOf(event)}`));
    });
  };
  const everyPair = ({ brokers }: Cluster, who: readonly string[]) =>
    who
      .flatMap((as) => brokers.flatMap((_, at) => brokers.map((_, from) => `${as} at ${at} from${from}`)))
      .sort();

  suite(`Broker contract: ${name}`, () => {
    test("an event reaches the subscriber of each subject on every node, once", () =>
      withCluster(async (cluster) => {
        const log: string[] = [];
        listen(cluster, "alice", log);
        listen(cluster, "bob", log);
        listen(cluster, "carol", log);
        const got = await heard(cluster, ["alice", "bob"], log);
        assert.deepEqual(got, everyPair(cluster, ["alice", "bob"]));
      }));

    test("subscribers of the publishing node have the event when the call returns", () =>
      withCluster(async ({ brokers: [broker] }) => {
        const log: string[] = [];
        broker?.subscribe("alice", (event) => log.push(nameOf(event)));
        broker?.publish(["alice"], noted("now"));
        assert.deepEqual(log, ["now"]);
      }));

    test("once its promise has resolved, a subscription misses nothing of other nodes", () =>
      withCluster(async (cluster) => {
        const log: string[] = [];
        for (const [at, subscriber] of cluster.brokers.entries()) {
          await subscriber.subscribe(`user${at}`, (event) => log.push(`user${at} ${nameOf(event)}`));
          for (const [from, broker] of cluster.brokers.entries())
            broker.publish([`user${at}`], noted(`from${from}`));
        }
        await cluster.settle();
        const expected = cluster.brokers.flatMap((_, at) =>
          cluster.brokers.map((_, from) => `user${at} from${from}`),
        );
        assert.deepEqual(log.toSorted(), expected.sort());
      }));

    test("an event for a subject without subscriber vanishes, and an empty list is nobody", () =>
      withCluster(async (cluster) => {
        const log: string[] = [];
        listen(cluster, "alice", log);
        assert.deepEqual(await heard(cluster, ["nobody"], log), []);
        assert.deepEqual(await heard(cluster, [], log), []);
      }));

    test("an audience reaches those who are in it at that moment", () =>
      withCluster(async (cluster) => {
        const log: string[] = [];
        for (const subject of ["alice", "bob", "carol"]) listen(cluster, subject, log);
        const members = new Set(Array.from({ length: 100 }, (_, n) => `u${n}`)).add("alice").add("bob");
        const audience = new Audience({
          get memberCount() {
            return members.size;
          },
          members: () => Array.from(members, (subject) => ({ subject })),
        });
        await cluster.settle();
        const reached = async () => {
          log.length = 0;
          cluster.brokers[0]?.publish(audience, noted("from0"));
          await cluster.settle();
          return log.toSorted();
        };
        const expected = (who: readonly string[]) =>
          who.flatMap((as) => cluster.brokers.map((_, at) => `${as} at ${at} from0`)).sort();
        assert.deepEqual(await reached(), expected(["alice", "bob"]));
        members.delete("bob");
        audience.changed({ subject: "bob", isIn: false });
        members.add("carol");
        audience.changed({ subject: "carol", isIn: true });
        assert.deepEqual(await reached(), expected(["alice", "carol"]));
      }));

    test("a subject has one subscription per node, and another once it was given up", () =>
      withCluster(async (cluster) => {
        const log: string[] = [];
        listen(cluster, "alice", log, "first");
        for (const broker of cluster.brokers) {
          assert.throws(() => broker.subscribe("alice", () => undefined), /subscription/);
          broker.unsubscribe("alice");
          broker.unsubscribe("alice");
          broker.unsubscribe("nobody");
        }
        assert.deepEqual(await heard(cluster, ["alice"], log), []);
        listen(cluster, "alice", log, "second");
        assert.deepEqual(await heard(cluster, ["alice"], log), everyPair(cluster, ["second"]));
      }));

    test("a subscriber that throws keeps nobody from the event, and no later event from anybody", () =>
      withCluster(async (cluster) => {
        const log: string[] = [];
        for (const broker of cluster.brokers)
          broker.subscribe("broken", () => {
            throw new Error("a broken receiver");
          });
        listen(cluster, "alice", log);
        await cluster.settle();
        const subjects = ["broken", "alice", ...Array.from({ length: 100 }, (_, n) => `u${n}`)];
        cluster.brokers.forEach((broker, from) => {
          for (let n = 0; n < 2; n++)
            assert.throws(() => broker.publish(subjects, noted(`from${from}`)), /a broken receiver/);
        });
        await cluster.settle();
        const pairs = everyPair(cluster, ["alice"]);
        assert.deepEqual(log.toSorted(), [...pairs, ...pairs].sort());
      }));

    test("a subscriber may come and go while events are handed out", () =>
      withCluster(async (cluster) => {
        const log: string[] = [];
        for (const broker of cluster.brokers)
          broker.subscribe("alice", (event) => {
            log.push(nameOf(event));
            broker.unsubscribe("alice");
          });
        await cluster.settle();
        for (const name of ["one", "two", "three"]) cluster.brokers[0]?.publish(["alice"], noted(name));
        await cluster.settle();
        assert.equal(log.length, cluster.brokers.length, "each of them heard one event");
      }));

    test("a long list reaches who of it is there, whoever came and went before", () =>
      withCluster(async (cluster) => {
        const log: string[] = [];
        const members = Array.from({ length: 5000 }, (_, n) => `d/u${n}`);
        listen(cluster, "d/u7", log);
        assert.deepEqual(await heard(cluster, members, log), everyPair(cluster, ["d/u7"]));
        listen(cluster, "d/u4999", log);
        assert.deepEqual(await heard(cluster, members, log), everyPair(cluster, ["d/u4999", "d/u7"]));
        for (const broker of cluster.brokers) broker.unsubscribe("d/u7");
        assert.deepEqual(await heard(cluster, members, log), everyPair(cluster, ["d/u4999"]));
      }));

    test("G10 no name of a subject reaches another's subscriber, alone or in a list", () =>
      withCluster(async (cluster) => {
        const log: string[] = [];
        for (const [n, subject] of hostileSubjects.entries()) listen(cluster, subject, log, `n${n}`);
        for (const [n, subject] of hostileSubjects.entries())
          assert.deepEqual(
            await heard(cluster, [subject], log),
            everyPair(cluster, [`n${n}`]),
            JSON.stringify(subject.slice(0, 40)),
          );
        const all = hostileSubjects.map((_, n) => `n${n}`);
        assert.deepEqual(await heard(cluster, hostileSubjects, log), everyPair(cluster, all));
      }));

    test("many events at once all arrive, in whatever order", () =>
      withCluster(async (cluster) => {
        const log: string[] = [];
        listen(cluster, "alice", log);
        await cluster.settle();
        const names = Array.from({ length: 2000 }, (_, n) => `e${n}`);
        for (const name of names) cluster.brokers[0]?.publish(["alice"], noted(name));
        await cluster.settle();
        const expected = cluster.brokers.flatMap((_, at) => names.map((name) => `alice at ${at} ${name}`));
        assert.deepEqual(log.toSorted(), expected.sort());
      }));
  });
}
