import type { Storage } from "@hongyan/client";
import type { Plant } from "./plant.ts";

/** G1: the device's outbox does not survive its program. */
export function lostOutbox(): Plant {
  return {
    breaks: ["G1"],
    storage: (storage) =>
      wrapStorage(storage, { load: async () => ({ ...(await storage.load()), outbox: [] }) }),
  };
}

/** G4: positions are remembered one too low: the last message of every conversation is handed over again. */
export function deliverTwice(): Plant {
  return {
    breaks: ["G4"],
    storage: (storage) =>
      wrapStorage(storage, {
        load: async () => {
          const state = await storage.load();
          const conversations = state.conversations.map((record) => ({
            ...record,
            position:
              record.position === undefined ? undefined : Math.max(record.first - 1, record.position - 1),
          }));
          return { ...state, conversations };
        },
      }),
  };
}

/** G5: the client does not wait for the application before it acknowledges. */
export function ackBeforeHandler(): Plant {
  return { breaks: ["G5"], handlerIsNotAwaited: true };
}

function wrapStorage(storage: Storage, changes: Partial<Storage>): Storage {
  return {
    load: () => storage.load(),
    commit: (change) => storage.commit(change),
    messages: (conversation, range, count) => storage.messages(conversation, range, count),
    close: () => storage.close(),
    ...changes,
  };
}
