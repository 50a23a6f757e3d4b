import { type Client, createClient, type TransportName } from "@hongyan/client/node";

export interface WriterOptions {
  readonly user: string;
  readonly url: string;
  readonly token: string;
  readonly transport?: TransportName;
}

/** Somebody with the SDK who writes all the time, and keeps what was shown and what was acknowledged. */
export class Writer {
  readonly user: string;
  readonly client: Client;
  /** In the order in which the application got them, from the first one that was written. */
  readonly shown: { readonly seq: number; readonly text: string }[] = [];
  /** Own messages by text: where the server says it has stored them. */
  readonly acknowledged = new Map<string, number>();
  readonly faults: string[] = [];
  #said = 0;
  #acknowledgedAtMs = performance.now();
  #silentMsMax = 0;

  constructor({ user, ...options }: WriterOptions) {
    this.user = user;
    this.client = createClient({ ...options, device: "phone" });
    this.client.on("message", ({ seq, messageType, body }) => {
      if (messageType === undefined) this.shown.push({ seq, text: Buffer.from(body).toString() });
    });
    this.client.on("failed", ({ failure }) => this.faults.push(`a message failed: ${failure?.message}`));
    this.client.on("state", (state) => {
      if (state.status === "stopped" && state.reason !== "stopped") this.faults.push(state.message);
    });
  }

  get said(): number {
    return this.#said;
  }

  get isLive(): boolean {
    return this.client.state.status === "live";
  }

  write(conversation: string): void {
    const text = `${this.user} ${++this.#said}`;
    const message = this.client.send(conversation, text);
    this.client.stored(message).then(
      ({ seq }) => {
        this.acknowledged.set(text, seq);
        const nowMs = performance.now();
        this.#silentMsMax = Math.max(this.#silentMsMax, nowMs - this.#acknowledgedAtMs);
        this.#acknowledgedAtMs = nowMs;
      },
      (error: Error) => this.faults.push(error.message),
    );
  }

  /** The longest time without an acknowledgement since the last call. */
  takeSilentMs(): number {
    const longest = this.#silentMsMax;
    this.#silentMsMax = 0;
    return longest;
  }

  /** Whether an acknowledgement came after `sinceMs`. */
  wasHeardSince(sinceMs: number): boolean {
    return this.#acknowledgedAtMs > sinceMs;
  }
}
