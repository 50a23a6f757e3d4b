import type { Member, Receipt } from "@hongyan/client";

/** How far the other members of a group are with one message. */
export interface ReceiptGroups {
  readonly read: readonly string[];
  readonly delivered: readonly string[];
  readonly waiting: readonly string[];
}

/** Who joined later cannot read the message and is left out; who has sent no receipt has nothing of it yet. */
export function receiptGroups(
  seq: number,
  members: readonly Member[],
  receipts: readonly Receipt[],
  self: string,
): ReceiptGroups {
  const known = new Map(receipts.map((receipt) => [receipt.user, receipt]));
  const groups = { read: [] as string[], delivered: [] as string[], waiting: [] as string[] };
  for (const { user, since } of members) {
    if (user === self || since > seq) continue;
    const receipt = known.get(user);
    if (receipt !== undefined && receipt.read >= seq) groups.read.push(user);
    else if (receipt !== undefined && receipt.delivered >= seq) groups.delivered.push(user);
    else groups.waiting.push(user);
  }
  return groups;
}
