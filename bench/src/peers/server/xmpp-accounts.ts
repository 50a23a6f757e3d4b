import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** Makes the database of an XMPP server with these accounts in it: registering thousands one by one takes minutes. */
export function makeAccounts(
  file: string,
  schemaFile: string,
  users: readonly string[],
  password: string,
): void {
  const database = new DatabaseSync(file);
  database.exec(readFileSync(schemaFile, "utf8"));
  database.exec("BEGIN");
  const insert = database.prepare("INSERT INTO users (username, password) VALUES (?, ?)");
  for (const user of users) insert.run(user, password);
  database.exec("COMMIT");
  database.close();
}
