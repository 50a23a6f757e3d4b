import type { Store } from "@hongyan/core";
import { type Delay, EmbeddedStore } from "@hongyan/store/embedded";
import type { Disk } from "../disk/disk.ts";
import { SimKeyValue, SnapshotKeyValue } from "../disk/key-value.ts";
import type { Scheduler } from "../scheduler.ts";

const createEpoch = (): string => "simulated-epoch";

/** The production store on the simulated disk. `reopened` runs after the store has opened the disk anew by itself. */
export function openStore(disk: Disk, scheduler: Scheduler, reopened: () => Promise<void>): Promise<Store> {
  const { crashes } = disk;
  return EmbeddedStore.over(new SimKeyValue(disk), {
    createEpoch,
    disk: {
      reopen: async () => {
        // A store whose process is gone opens nothing any more.
        if (disk.crashes !== crashes) return new Promise<never>(() => {});
        disk.reopen();
        await reopened();
        return new SimKeyValue(disk);
      },
    },
    delay: delayOf(scheduler),
  });
}

/** The production store over what is on the disk now: for looking, without delay. */
export function openProbe(disk: Disk): Promise<Store> {
  return EmbeddedStore.over(new SnapshotKeyValue(disk), { createEpoch });
}

function delayOf(scheduler: Scheduler): Delay {
  return (ms, signal) =>
    new Promise((resolve, reject) => {
      scheduler.after(ms, () => (signal.aborted ? reject(signal.reason) : resolve()));
    });
}
