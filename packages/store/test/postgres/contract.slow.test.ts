import { after, before, suite } from "node:test";
import { type Subject, storeContract } from "@hongyan/store/contract";
import { PostgresStore } from "@hongyan/store/postgres";
import { type PostgresServer, startPostgres, whyNoPostgres } from "@hongyan/testkit/postgres";
import { Databases } from "./databases.ts";
import { PlacedDatabases } from "./placed-databases.ts";

suite("PostgreSQL", { skip: whyNoPostgres() ?? false }, () => {
  let server: PostgresServer;
  let databases: Databases;
  before(async () => {
    server = await startPostgres({ settings: { fsync: "off", max_prepared_transactions: "20" } });
    databases = new Databases(server);
  });
  after(() => server.stop());

  storeContract(
    "PostgresStore",
    async (): Promise<Subject> => {
      const url = await databases.take();
      const first = await PostgresStore.open({ url });
      let current = first;
      return {
        store: first,
        async reopen() {
          await current.close();
          current = await PostgresStore.open({ url });
          return current;
        },
        async dispose() {
          await current.close();
          await databases.giveBack(url);
        },
      };
    },
    15,
  );

  const free: PlacedDatabases[] = [];
  storeContract(
    "PlacedStore",
    async (): Promise<Subject> => {
      const placed = free.pop() ?? (await PlacedDatabases.make(server));
      const first = await placed.open({ poolMax: 2 });
      let current = first;
      return {
        store: first,
        async reopen() {
          await current.close();
          current = await placed.open({ poolMax: 2 });
          return current;
        },
        async dispose() {
          await current.close();
          await placed.empty();
          free.push(placed);
        },
      };
    },
    3,
  );
});
