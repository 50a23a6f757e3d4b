import { after } from "node:test";
import { type Subject, storeContract } from "@hongyan/store/contract";
import { PostgresStore } from "@hongyan/store/postgres";
import { startPostgres } from "@hongyan/testkit/postgres";
import { Databases } from "./databases.ts";

const server = await startPostgres({ settings: { fsync: "off" } });
after(() => server.stop());
const databases = new Databases(server);

storeContract("PostgresStore", async (): Promise<Subject> => {
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
});
