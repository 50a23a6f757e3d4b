import type { Plant } from "./plant.ts";
import { wrapConnection, wrapInbound } from "./wrap.ts";

/** G3: the node does not look at what a message must follow. */
export function ignoreAfter(): Plant {
  return {
    breaks: ["G3"],
    inbound: (inbound) =>
      wrapInbound(inbound, (frame) =>
        inbound.receive(frame.type === "send" ? { ...frame, after: undefined } : frame),
      ),
  };
}

/** G4: the answer to a reconnect always says that nothing was missed. */
export function staleResume(): Plant {
  return {
    breaks: ["G4"],
    connection: (connection) =>
      wrapConnection(connection, (frame) =>
        frame.type === "connect.ok" ? { ...frame, resumed: true, behind: false } : frame,
      ),
  };
}

/** G5: what was written to a connection counts as delivered. */
export function falseDeliveredReceipt(): Plant {
  let ids = 4_000_000_000;
  const pushed = new WeakMap<object, [conversation: string, seq: number][]>();
  return {
    breaks: ["G5"],
    connection: (connection) => {
      const positions: [string, number][] = [];
      const wrapped = wrapConnection(connection, (frame) => {
        if (frame.type === "message") positions.push([frame.conversation, frame.seq]);
        return frame;
      });
      pushed.set(wrapped, positions);
      return wrapped;
    },
    inbound: (inbound, _device, connection) =>
      wrapInbound(inbound, (frame) => {
        inbound.receive(frame);
        const positions = pushed.get(connection)?.splice(0) ?? [];
        if (positions.length > 0 && frame.type !== "connect")
          inbound.receive({ type: "ack", id: ids++, positions });
      }),
  };
}

/** G5: unread is the distance to the head, own messages and all. */
export function unreadDrift(): Plant {
  return {
    breaks: ["G5"],
    connection: (connection) =>
      wrapConnection(connection, (frame) =>
        frame.type === "conversation" ? { ...frame, unread: Math.max(0, frame.head - frame.read) } : frame,
      ),
  };
}

/** G8: the node never learns that a peer does not read. */
export function unboundedQueue(): Plant {
  return {
    breaks: ["G8"],
    connection: (connection) => ({
      encoding: connection.encoding,
      transport: connection.transport,
      bufferedBytes: 0,
      write: (frame) => connection.write(frame),
      close: (code, retryAfterMs) => connection.close(code, retryAfterMs),
    }),
  };
}
