import { randomBytes } from "node:crypto";
import type { Store } from "@hongyan/core";

/** Fills a store with everything that can be in one: many logs, a long one, keys in any order, trimmed ones, … */
export async function fill(store: Store, domain: string, logs = 40): Promise<void> {
  const commit = (parts: Partial<Parameters<Store["commit"]>[0]>) =>
    store.commit({ appends: [], advances: [], puts: [], ...parts });
  for (let n = 0; n < logs; n++) {
    const log = `${domain}/conversation/${"x".repeat(n % 7)}${n}`;
    const appends = Array.from({ length: 1 + (n % 5) }, (_, i) => ({
      log,
      producer: i === 4 ? "" : `nuser${n % 3}/phone`,
      number: i + 1,
      time: 1_000_000 + n * 10 + i,
      body: randomBytes(n),
    }));
    await commit({
      appends,
      advances: [
        { log, reader: "r/alice", position: 1 },
        { log: `${domain}/devices/user${n}`, reader: "phone", position: 1 },
      ],
      puts: [{ key: `${domain}/member/${n}`, value: randomBytes(n * 3) }],
    });
  }
  const long = `${domain}/conversation/long`;
  for (let n = 0; n < 20; n++)
    await commit({
      appends: Array.from({ length: 100 }, (_, i) => {
        const number = n * 100 + i;
        return number % 3 === 0
          ? { log: long, producer: `u${number}`, number: 0, time: number, body: Buffer.from(`u ${number}`) }
          : {
              log: long,
              producer: `np${number % 13}`,
              number,
              time: number,
              body: Buffer.from(`n ${number}`),
            };
      }),
    });
  const trimmed = `${domain}/conversation/trimmed`;
  for (let n = 0; n < 3; n++)
    await commit({
      appends: Array.from({ length: 50 }, (_, i) => ({
        log: trimmed,
        producer: i % 2 === 0 ? "nq" : "",
        number: n * 50 + i,
        time: 5,
        body: Buffer.from("t"),
      })),
    });
  await store.trim(trimmed, 120);
  const gone = `${domain}/conversation/gone`;
  await commit({ appends: [{ log: gone, producer: "nz", number: 7, time: 5, body: Buffer.from("g") }] });
  await store.trim(gone, 1);
  // Versions above 1, and a record that was deleted.
  for (let n = 0; n < 3; n++)
    await commit({ puts: [{ key: `${domain}/user/eve`, value: Buffer.from(`${n}`) }] });
  await commit({ puts: [{ key: `${domain}/user/bob`, value: Buffer.from("b") }] });
  await commit({ puts: [{ key: `${domain}/user/bob`, value: undefined }] });
  await commit({
    appends: [
      { log: `${domain}/h/\u0000é鸿`, producer: "\u0000é", number: 3, time: 2 ** 50, body: Buffer.alloc(0) },
    ],
    advances: [{ log: `${domain}/h/\u0000é鸿`, reader: `${"x".repeat(2000)}\u0000`, position: 2 ** 53 - 1 }],
    puts: [{ key: `${domain}/\u0000${"y".repeat(3000)}`, value: Buffer.alloc(0) }],
  });
}
