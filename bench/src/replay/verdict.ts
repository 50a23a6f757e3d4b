/** In the end: what the server's log holds, compared with the trace and with what every device was shown. */
import { callApi } from "../process/api.ts";
import type { Server } from "../process/server.ts";
import type { Community } from "./community.ts";
import { hashLine, systemLine } from "./ledger.ts";
import { userId } from "./script.ts";

interface LoggedMessage {
  readonly seq: number;
  readonly from: string;
  readonly clientMessageId: string;
  readonly messageType?: string;
  readonly body?: string;
  readonly bodyBase64?: string;
}

const pageMax = 1000;

/** Compares everything with everything; what differs is added to the ledger's violations. Returns entries read. */
export async function compare(community: Community, server: Server): Promise<number> {
  const found = new Uint8Array(community.script.lines.length);
  let entries = 0;
  for (let group = 0; group < community.script.groups.length; group++) {
    const lines = await readLog(community, server, group);
    entries += lines.length - 1;
    for (const line of lines) {
      if (line < 0) continue;
      if (found[line] === 1) community.ledger.violate(`G2: line ${line + 1} stands in the log twice`);
      found[line] = 1;
    }
    compareDevices(community, group, lines);
    await compareReceipts(community, server, group, lines.length - 1);
  }
  found.forEach((isFound, line) => {
    if (isFound === 0) community.ledger.violate(`G1: line ${line + 1} is missing from the log`);
  });
  return entries;
}

/** Line by seq, from 1; the log must agree with the trace, and with what senders were told. */
async function readLog({ ledger }: Community, server: Server, group: number): Promise<number[]> {
  const lines: number[] = [systemLine];
  const lastOf = new Map<string, number>();
  for (;;) {
    const after = lines.length - 1;
    const { messages } = await callApi<{ messages: LoggedMessage[] }>(
      server,
      "GET",
      `/v1/conversations/g${group}/messages?after=${after}&limit=${pageMax}`,
    );
    if (messages.length === 0) return lines;
    for (const message of messages) {
      const { seq, from, clientMessageId, messageType } = message;
      if (seq !== lines.length)
        ledger.violate(`G3: the log of g${group} goes from seq ${lines.length - 1} to ${seq}`);
      const line = ledger.check("the log", group, seq, from, clientMessageId, messageType, bodyOf(message));
      lines.push(line);
      if (line < 0) continue;
      if (ledger.seqOf[line] !== seq) {
        ledger.violate(
          `G1: line ${line + 1} is seq ${seq} of g${group}, its sender was told ${ledger.seqOf[line]}`,
        );
      }
      const place = ledger.lineOf(group, clientMessageId);
      if (place === undefined) continue;
      const before = lastOf.get(place.prefix) ?? 0;
      if (place.n !== before + 1)
        ledger.violate(`G3: in g${group} message ${before} of ${from} is followed by ${place.n}`);
      lastOf.set(place.prefix, place.n);
    }
  }
}

function bodyOf({ body, bodyBase64 }: LoggedMessage): Buffer {
  return bodyBase64 === undefined ? Buffer.from(body ?? "") : Buffer.from(bodyBase64, "base64");
}

/** Every device of every member was shown exactly the log, from where it began. */
function compareDevices({ devices, ledger }: Community, group: number, lines: readonly number[]): void {
  const head = lines.length - 1;
  const hashes = new Map<number, number>();
  for (const device of devices) {
    const seat = device.seats.get(group);
    if (seat === undefined) continue;
    if (seat.position !== head)
      ledger.violate(`G4: ${device.name} was shown g${group} up to ${seat.position} of ${head}`);
    let hash = hashes.get(seat.start);
    if (hash === undefined) {
      hash = lines.slice(seat.start + 1).reduce(hashLine, 0);
      hashes.set(seat.start, hash);
    }
    if (seat.hash !== hash)
      ledger.violate(`G4: ${device.name} was shown another history of g${group} than the log holds`);
    if (lines.slice(1, seat.start + 1).some((line) => line >= 0)) {
      ledger.violate(
        `G4: ${device.name} began g${group} at ${seat.start}, behind messages that it never saw`,
      );
    }
  }
}

/** The server knows that every member has everything. */
async function compareReceipts(
  { ledger, script }: Community,
  server: Server,
  group: number,
  head: number,
): Promise<void> {
  const missing = new Set(script.groups[group]?.members.map(userId));
  let after = "";
  do {
    const page = await callApi<{ members: { user: string; delivered: number }[]; next?: string }>(
      server,
      "GET",
      `/v1/conversations/g${group}/members?limit=500${after === "" ? "" : `&after=${after}`}`,
    );
    for (const { user, delivered } of page.members) {
      missing.delete(user);
      if (delivered !== head)
        ledger.violate(`G5: ${user} has acknowledged ${head} of g${group}, the server says ${delivered}`);
    }
    after = page.next ?? "";
  } while (after !== "");
  for (const user of missing) ledger.violate(`${user} is no member of g${group} any more`);
}
