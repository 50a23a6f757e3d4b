import type { Transport, TransportConnection, TransportEvents } from "../ports.ts";
import { EventStreamParser } from "./event-stream-parser.ts";
import { ConnectionGone, type Downstream, HeldConnection, type Progress, pause } from "./held-connection.ts";

/** The server sends at least a comment every 15 s. */
const silenceMsMax = 40_000;
const failuresMax = 4;
const retryDelayMsFirst = 200;

/** Text frames down an event stream (server-sent events), up by POST. */
export class EventStreamTransport implements Transport {
  readonly name = "stream";
  readonly mode = "text";
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  open(events: TransportEvents): TransportConnection {
    return new HeldConnection(this.#base, "text", streaming, events);
  }
}

const streaming: Downstream = {
  async read(url, progress, events, signal) {
    let failures = 0;
    while (!signal.aborted) {
      const before = progress.after;
      try {
        await stream(url, progress, events, signal);
      } catch (error) {
        if (signal.aborted || error instanceof ConnectionGone) throw error;
        failures = progress.after > before ? 1 : failures + 1;
        if (failures >= failuresMax) throw error;
      }
      // A proxy may end a stream at any time: it goes on after the last event.
      await pause(retryDelayMsFirst * 2 ** Math.max(0, failures - 1), signal);
    }
  },
};

async function stream(
  url: string,
  progress: Progress,
  events: TransportEvents,
  signal: AbortSignal,
): Promise<void> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), silenceMsMax);
  try {
    const response = await fetch(`${url}/stream?after=${progress.after}`, {
      headers: { accept: "text/event-stream" },
      cache: "no-store",
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (response.status === 404 || response.status === 410)
      throw new ConnectionGone("the server has let the connection go");
    if (!response.ok || response.body === null)
      throw new Error(`the server answered ${response.status} to a stream`);
    const parser = new EventStreamParser((id, data) => {
      const number = Number(id);
      // After a break the first events may be repeated.
      if (!Number.isSafeInteger(number) || number <= progress.after) return;
      progress.after = number;
      events.received(data);
    });
    const text = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMsMax);
      parser.push(text.decode(value, { stream: true }));
    }
  } finally {
    clearTimeout(timer);
  }
}
