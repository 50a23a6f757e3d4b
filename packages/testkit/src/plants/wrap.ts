import type { Connection, Inbound, Store } from "@hongyan/core";
import type { Frame } from "@hongyan/protocol";
import { SharedFrame } from "@hongyan/protocol";

/** The store with some of its methods replaced. */
export function wrapStore(store: Store, changes: Partial<Store>): Store {
  return {
    epoch: store.epoch,
    commit: (batch) => store.commit(batch),
    read: (log, after, limit) => store.read(log, after, limit),
    readBack: (log, before, limit) => store.readBack(log, before, limit),
    heads: (logs) => store.heads(logs),
    find: (log, producer, number) => store.find(log, producer, number),
    trim: (log, upTo) => store.trim(log, upTo),
    positions: (of) => store.positions(of),
    readers: (log, after, count) => store.readers(log, after, count),
    records: (keys) => store.records(keys),
    list: (prefix, after, count) => store.list(prefix, after, count),
    close: () => store.close(),
    ...changes,
  };
}

/** The connection with every written frame changed, or swallowed where `change` returns undefined. */
export function wrapConnection(
  connection: Connection,
  change: (frame: Frame) => Frame | undefined,
): Connection {
  return {
    encoding: connection.encoding,
    transport: connection.transport,
    get bufferedBytes() {
      return connection.bufferedBytes;
    },
    write: (shared) => {
      const frame = change(shared.frame);
      if (frame !== undefined) connection.write(frame === shared.frame ? shared : new SharedFrame(frame));
    },
    close: (code, retryAfterMs) => connection.close(code, retryAfterMs),
  };
}

export function wrapInbound(inbound: Inbound, receive: Inbound["receive"]): Inbound {
  return {
    receive,
    reject: (id, error) => inbound.reject(id, error),
    drained: () => inbound.drained(),
    closed: () => inbound.closed(),
  };
}
