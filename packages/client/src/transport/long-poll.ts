import type { Transport, TransportConnection, TransportEvents } from "../ports.ts";
import { ConnectionGone, type Downstream, HeldConnection, type Progress, pause } from "./held-connection.ts";

/** The server holds a request for at most 90 s. */
const pollTimeoutMs = 100_000;
/** Requests that may fail in a row before the connection counts as lost. A lost response is asked for again. */
const failuresMax = 4;
const retryDelayMsFirst = 200;

/** Binary frames by long poll: a request waits at the server until there is something to answer. */
export class LongPollTransport implements Transport {
  readonly name = "poll";
  readonly mode = "binary";
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  open(events: TransportEvents): TransportConnection {
    return new HeldConnection(this.#base, "binary", polling, events);
  }
}

const polling: Downstream = {
  async read(url, progress, events, signal) {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await poll(url, progress, events, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted || error instanceof ConnectionGone || ++failures >= failuresMax) throw error;
        await pause(retryDelayMsFirst * 2 ** (failures - 1), signal);
      }
    }
  },
};

/** One request. `after` moves only with a response that came whole, so a torn one is sent again. */
async function poll(
  url: string,
  progress: Progress,
  events: TransportEvents,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(`${url}?after=${progress.after}`, {
    headers: { accept: "application/octet-stream" },
    cache: "no-store",
    signal: AbortSignal.any([signal, AbortSignal.timeout(pollTimeoutMs)]),
  });
  if (response.status === 404 || response.status === 410)
    throw new ConnectionGone("the server has let the connection go");
  if (!response.ok) throw new Error(`the server answered ${response.status} to a poll`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const after = Number(response.headers.get("hongyan-after"));
  if (Number.isSafeInteger(after) && after > progress.after) progress.after = after;
  if (bytes.length > 0) events.received(bytes);
}
