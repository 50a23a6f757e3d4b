import type { Journal } from "@hongyan/core";
import type { ClientBase } from "pg";
import { StoreError } from "../store-error.ts";
import { serverIdentity } from "./writer.ts";

/** The oldest version that its makers still maintain. */
const majorVersionMin = 14;

interface ServerState {
  readonly standby: boolean;
  readonly encoding: string;
  readonly version: string;
  readonly fsync: string;
  readonly full_page_writes: string;
}

const question = `
  SELECT pg_is_in_recovery() AS standby,
    current_setting('server_encoding') AS encoding,
    current_setting('server_version_num') AS version,
    current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes`;

/** Refuses a server that cannot keep the guarantees; warns of one that is told not to. */
export async function checkServer(
  client: ClientBase,
  place: string,
  journal: Journal | undefined,
): Promise<void> {
  const { rows } = await client.query(question);
  const { standby, encoding, version, ...durability } = rows[0] as ServerState;
  refuseStandby(standby, place);
  const major = Math.floor(Number(version) / 10_000);
  if (major < majorVersionMin)
    throw new StoreError(
      "unsuitable",
      `${place} is version ${major}; ${majorVersionMin} is the oldest that will do`,
    );
  if (encoding !== "UTF8")
    throw new StoreError(
      "unsuitable",
      `${place} has the encoding ${encoding}; it must be UTF8: createdb --encoding UTF8 --template template0`,
    );
  for (const [setting, value] of Object.entries(durability)) {
    if (value !== "off") continue;
    journal?.warn("store.not_durable", {
      place,
      setting,
      error: `${setting} is off: a power cut may lose the data`,
    });
  }
}

/** For connections of later: the address may lead to another server by now. Answers which it is: see `Backend`. */
export async function checkPrimary(client: ClientBase, place: string): Promise<string> {
  const { rows } = await client.query(`SELECT pg_is_in_recovery() AS standby, ${serverIdentity} AS server`);
  const [{ standby, server }] = rows;
  refuseStandby(standby, place);
  return server;
}

function refuseStandby(standby: boolean, place: string): void {
  if (standby)
    throw new StoreError("unsuitable", `${place} is a standby, which cannot be written: name the primary`);
}
