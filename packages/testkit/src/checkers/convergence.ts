import type { Device } from "../world/device.ts";
import type { World } from "../world/world.ts";
import type { DeviceId } from "./observations.ts";

/** Conversations of a user who is a member now, with where its stay began. */
function memberships(world: World, { domain, user }: DeviceId): { conversation: string; since: number }[] {
  const found: { conversation: string; since: number }[] = [];
  for (const [log] of world.ledger.logs()) {
    const [logDomain, , conversation = ""] = log.split("/");
    const stay = world.ledger.stays(domain, conversation, user).at(-1);
    if (logDomain === domain && stay?.until === Number.POSITIVE_INFINITY)
      found.push({ conversation, since: stay.since });
  }
  return found;
}

function present(world: World): Device[] {
  return world.devices.filter((device) => !device.isAbsent);
}

/** What still keeps the world from rest; undefined where everybody has everything. Cheap: asked again and again. */
export function unrest(world: World): string | undefined {
  if (!world.server.isUp) return "the server is down";
  const [open] = world.judge.outbox.open.keys();
  if (open !== undefined) return `${open} is in an outbox and neither stored nor refused`;
  for (const device of present(world)) {
    for (const { conversation } of memberships(world, device)) {
      const reason = unrestOf(world, device, conversation);
      if (reason !== undefined) return `${device.key} ${conversation}: ${reason}`;
    }
  }
  return undefined;
}

/** A device that two servers still believe to have, `patienceMs` after it was heard through the newer one. */
export function doubleSession(world: World, patienceMs: number): string | undefined {
  for (const device of present(world)) {
    const spokeAt = world.network.spokeAt(device) ?? Number.POSITIVE_INFINITY;
    const links = world.network.links(device).filter(({ isUsedAtNode }) => isUsedAtNode);
    if (links.length > 1 && world.scheduler.now > spokeAt + patienceMs)
      return `${device.key} has ${links.length} sessions`;
  }
  return undefined;
}

function unrestOf(world: World, device: Device, conversation: string): string | undefined {
  const { ledger, judge } = world;
  const head = ledger.head(device.domain, conversation);
  const last = judge.delivery.last(device, conversation);
  const read = judge.receipts.claimed(device, conversation, "read");
  // A new device begins where its user has read: where that is the head, nothing is handed over.
  const hasBegun = judge.delivery.first(device, conversation) !== undefined;
  if (last < head && (hasBegun || read < head))
    return `the application has #${last} of ${head} (read ${read})`;
  const known = device.client?.conversation(conversation);
  if (known?.head !== head) return `the head is believed to be ${known?.head}, not ${head}`;
  const acknowledged = judge.receipts.acknowledged(device, conversation);
  if (last > acknowledged && last > read)
    return `the application has #${last}, acknowledged is #${acknowledged}`;
  // A position from before the user came in again is none.
  const since = ledger.stays(device.domain, conversation, device.user).at(-1)?.since ?? 1;
  const confirmed = judge.receipts.confirmedRead(device, conversation);
  if (confirmed >= since && known.read < Math.min(confirmed, head))
    return `the user has read ${confirmed} elsewhere, the device shows ${known.read}`;
  if (known.read >= since && known.read > read) return `shows #${known.read} as read and has said #${read}`;
  const unread = unreadByHand(world, device, conversation, known.read);
  if (known.unread !== unread)
    return `shows ${known.unread} unread; by hand, after #${known.read}, there are ${unread}`;
  const peer = peerOf(device, conversation);
  if (peer === undefined) return undefined;
  const own = lastOwn(world, device, conversation);
  const delivered = Math.min(own, judge.receipts.claimed({ ...device, user: peer }, conversation, "ack"));
  const seen = Math.min(own, judge.receipts.confirmedRead({ ...device, user: peer }, conversation));
  if (known.delivered < delivered || known.seen < seen) {
    return `shows delivered ${known.delivered} and read ${known.seen}; ${peer} has said ${delivered} and ${seen}`;
  }
  return undefined;
}

function peerOf({ user }: DeviceId, conversation: string): string | undefined {
  return conversation.includes(":") ? conversation.split(":").find((other) => other !== user) : undefined;
}

/** Receipts are told to whom they cover something: up to the last own message they are exact, beyond it not above. */
function lastOwn(world: World, { domain, user }: DeviceId, conversation: string): number {
  return world.ledger.log(domain, conversation).findLast(({ from }) => from === user)?.seq ?? 0;
}

function readPosition(world: World, device: DeviceId, conversation: string): number {
  return world.judge.receipts.claimed(device, conversation, "read");
}

/** After rest: everything equals everything else. */
export async function compare(world: World): Promise<void> {
  await world.recover();
  const probe = await world.openProbe();
  for (const device of present(world)) {
    for (const { conversation, since } of memberships(world, device))
      compareHistory(world, device, conversation, since);
  }
  await compareReceipts(world, probe);
  await probe.close();
}

/** G4: the device's application has the log from its start to its end. */
function compareHistory(world: World, device: Device, conversation: string, since: number): void {
  const { judge, ledger } = world;
  const log = ledger.log(device.domain, conversation);
  const shown = device.shown.get(conversation) ?? new Map<number, string>();
  const place = `${device.key} ${conversation}`;
  const first = judge.delivery.first(device, conversation) ?? log.length + 1;
  const start = Math.max(since, first);
  // It may begin later than its user came in only where the user had read what is before.
  if (first > since && first > readPosition(world, device, conversation) + 1) {
    return judge.object(
      "G4",
      `${place} begins at #${first}; its user came in at #${since} and had read ${readPosition(world, device, conversation)}`,
    );
  }
  for (const entry of log.slice(start - 1)) {
    const text = shown.get(entry.seq);
    if (text === undefined) return judge.object("G4", `${place} never had #${entry.seq} of ${log.length}`);
    if (text !== entry.text)
      return judge.object(
        "G4",
        `${place} has ${text.slice(0, 80)} as #${entry.seq}; the log has ${entry.text.slice(0, 80)}`,
      );
  }
  const known = device.client?.conversation(conversation);
  if (known === undefined) return judge.object("liveness", `${place} is not in the conversation list`);
  const unread = unreadByHand(world, device, conversation, known.read);
  if (known.unread !== unread)
    judge.object(
      "G5",
      `${place} shows ${known.unread} unread; by hand, after #${known.read}, there are ${unread}`,
    );
}

/** What others have written after `read` and after the user came in. */
function unreadByHand(world: World, { domain, user }: DeviceId, conversation: string, read: number): number {
  const since = world.ledger.stays(domain, conversation, user).at(-1)?.since ?? 1;
  return world.ledger.unread(domain, conversation, user, Math.max(read, since - 1), Number.POSITIVE_INFINITY);
}

/** G5: stored cursors are what the devices have said, and nobody is shown more than they say. */
async function compareReceipts(world: World, probe: Awaited<ReturnType<World["openProbe"]>>): Promise<void> {
  for (const device of present(world)) {
    for (const { conversation, since } of memberships(world, device)) {
      const readers = await probe.readers(`${device.domain}/conversation/${conversation}`, "", 1_000);
      const known = device.client?.conversation(conversation);
      if (known === undefined) continue;
      const highest = (prefix: string) =>
        readers.reduce(
          (max, { reader, position }) => (reader.startsWith(prefix) ? Math.max(max, position) : max),
          0,
        );
      const place = `${device.key} ${conversation}`;
      const cursor = highest(`d/${device.user}/${device.device}`);
      const last = world.judge.delivery.last(device, conversation);
      const read = highest(`r/${device.user}`);
      // What its user has read, a device without a cursor of its own need not acknowledge: it begins there.
      if (last > 0 && (cursor > last || Math.max(cursor, read) < last)) {
        world.judge.object("G5", `${place}: the stored cursor is ${cursor}; the application has ${last}`);
      }
      if (known.read !== read && known.read >= since)
        world.judge.object("G5", `${place}: the stored read cursor is ${read}; shown is ${known.read}`);
      const peer = peerOf(device, conversation);
      if (peer === undefined) continue;
      const [delivered, seen] = [highest(`d/${peer}/`), highest(`r/${peer}`)];
      // Who has read something has it.
      if (known.delivered > Math.max(delivered, seen) || known.seen > seen) {
        const shown = `shows delivered ${known.delivered} and read ${known.seen}`;
        world.judge.object("G5", `${place} ${shown}; the cursors of ${peer} are ${delivered} and ${seen}`);
      }
    }
  }
}
