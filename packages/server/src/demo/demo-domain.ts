/**
 * The first start: a domain with four people and a group, so that two browser tabs can talk before anything is
 * configured. Its secrets are random, made once, and kept readable by this user alone: nobody shares a password.
 */
import { chmod, mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Backend } from "@hongyan/core";
import { ProtocolError } from "@hongyan/protocol";
import { type Domains, domainsFromJson } from "../config/domains.ts";
import { randomSecret } from "../process/random.ts";
import { StartError } from "../process/start-error.ts";

export const demoDomain = "demo";

export const demoUsers = [
  { user: "alice", name: "Alice" },
  { user: "bob", name: "Bob" },
  { user: "carol", name: "Carol" },
  { user: "dave", name: "Dave" },
] as const;

const demoGroup = "wild-geese";

export function demoFile(dataDirectory: string): string {
  return join(dataDirectory, "demo.json");
}

/** The secrets of an earlier start, or undefined. Rejects with `StartError` where the file is damaged. */
export async function readDemoSecrets(dataDirectory: string): Promise<Domains | undefined> {
  const path = demoFile(dataDirectory);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return domainsFromJson(JSON.parse(text));
  } catch (error) {
    throw new StartError(`${path} is damaged: delete it, and new sign-in links will be made`, error);
  }
}

/** The secrets of an earlier start, so that its links go on working, or new ones. */
export async function openDemoSecrets(dataDirectory: string): Promise<Domains> {
  const path = demoFile(dataDirectory);
  const existing = await readDemoSecrets(dataDirectory);
  if (existing !== undefined) {
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    return existing;
  }
  const secrets = { [demoDomain]: { keys: { demo: randomSecret() }, apiKeys: { demo: randomSecret() } } };
  await mkdir(dataDirectory, { recursive: true });
  // Written whole before it has its name: a crash leaves no half file.
  const draft = await open(`${path}.new`, "w", 0o600);
  try {
    await draft.chmod(0o600);
    await draft.writeFile(`${JSON.stringify(secrets, null, 2)}\n`);
    await draft.sync();
  } finally {
    await draft.close();
  }
  await rename(`${path}.new`, path);
  return secrets;
}

/** Makes the people and the group where they are missing; what people have changed since stays. */
export async function seedDemo(backend: Backend): Promise<void> {
  for (const user of demoUsers) {
    if (await isMissing(backend.user(user.user))) await backend.putUser(user);
  }
  if (!(await isMissing(backend.conversation(demoGroup)))) return;
  const members = demoUsers.map(({ user }, i) => ({
    user,
    role: i === 0 ? ("owner" as const) : ("member" as const),
  }));
  await backend.createConversation({ conversation: demoGroup, name: "Wild geese", members });
}

async function isMissing(found: Promise<unknown>): Promise<boolean> {
  try {
    await found;
    return false;
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "not_found") return true;
    throw error;
  }
}
