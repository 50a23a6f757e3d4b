import { ProtocolError } from "@hongyan/protocol";
import { deliveredReader, deviceLog, readReader } from "./keys.ts";
import type { NodeContext } from "./node-context.ts";
import type { Advance, LogId } from "./ports.ts";
import type { Session } from "./session.ts";

/**
 * A device that is new begins with what its user has not read: where that is, is written once, as its cursors. So a
 * cursor of 0 means 0 from then on, also in a conversation that begins later and is read on another device first
 * (G4). That a device is known is a cursor too, in a log of its user that has no entries. `logs`: those of the user's
 * conversations, where the caller has them.
 */
export async function introduced(
  node: NodeContext,
  session: Session,
  logs?: readonly LogId[],
): Promise<void> {
  if (session.introduction === "done") return;
  session.introduction ??= introduce(node, session, logs).then(
    () => {
      session.introduction = "done";
    },
    (error: unknown) => {
      session.introduction = undefined; // Whoever asks next tries again.
      throw error;
    },
  );
  await session.introduction;
}

async function introduce(
  { store, committer, memberships }: NodeContext,
  { identity, device }: Session,
  given: readonly LogId[] | undefined,
): Promise<void> {
  const { domain, user } = identity;
  const marker = { log: deviceLog(domain, user), reader: device };
  const [known = 0] = await store.positions([marker]);
  if (known > 0) return;
  const logs = given ?? (await memberships.of(domain, user)).map(({ log }) => log);
  const own = deliveredReader(user, device);
  const positions = await store.positions(
    [own, readReader(user)].flatMap((reader) => logs.map((log) => ({ log, reader }))),
  );
  const advances: Advance[] = [{ ...marker, position: 1 }];
  logs.forEach((log, at) => {
    const [cursor = 0, read = 0] = [positions[at], positions[at + logs.length]];
    if (cursor === 0 && read > 0) advances.push({ log, reader: own, position: read });
  });
  await new Promise<void>((resolve, reject) => {
    committer.advance(advances, {
      committed: resolve,
      failed: () => reject(new ProtocolError("unavailable", undefined, 1000)),
    });
  });
}
