import { shortened } from "../arguments.ts";
import {
  neverRepaired,
  neverReplaced,
  overlookMemberChanges,
  trustStaleHead,
  trustStaleMembership,
} from "./cluster-plants.ts";
import { ackBeforeHandler, deliverTwice, lostOutbox } from "./device-plants.ts";
import type { Plant } from "./plant.ts";
import {
  acknowledgeBeforeCommit,
  conflictAsDuplicate,
  crossDomainRead,
  cursorBackwards,
  forgetCursor,
  forgetDedupe,
  reverseCommit,
  seqHole,
  skipADevice,
  skipBetweenPages,
} from "./store-plants.ts";
import {
  falseDeliveredReceipt,
  ignoreAfter,
  staleResume,
  unboundedQueue,
  unreadDrift,
} from "./wire-plants.ts";

/** Every planted bug, by name: a fresh one for each world. */
export const plants: Readonly<Record<string, () => Plant>> = {
  "acknowledge-before-commit": acknowledgeBeforeCommit,
  "lost-outbox": lostOutbox,
  "forget-dedupe": forgetDedupe,
  "conflict-as-duplicate": conflictAsDuplicate,
  "seq-hole": seqHole,
  "reverse-commit": reverseCommit,
  "ignore-after": ignoreAfter,
  "skip-a-device": skipADevice,
  "deliver-twice": deliverTwice,
  "stale-resume": staleResume,
  "skip-between-pages": skipBetweenPages,
  "cursor-backwards": cursorBackwards,
  "forget-cursor": forgetCursor,
  "false-delivered-receipt": falseDeliveredReceipt,
  "ack-before-handler": ackBeforeHandler,
  "unread-drift": unreadDrift,
  "unbounded-queue": unboundedQueue,
  "cross-domain-read": crossDomainRead,
  "trust-stale-membership": trustStaleMembership,
  "trust-stale-head": trustStaleHead,
  "overlook-member-changes": overlookMemberChanges,
  "never-replaced": neverReplaced,
  "never-repaired": neverRepaired,
};

export const plantNames: readonly string[] = Object.keys(plants);

/** Throws where there is no such plant. */
export function plantNamed(name: string): Plant {
  const plant = plants[name];
  if (plant === undefined)
    throw new Error(`no such planted bug: ${shortened(name)}; there are ${plantNames.join(", ")}`);
  return plant();
}
