import {
  type Command,
  closeAdvice,
  closeCodes,
  type Frame,
  type FrameNamed,
  limits,
  type Push,
  protocolVersion,
  type Reply,
  schemaOfType,
  type UnknownFrame,
} from "@hongyan/protocol";
import type { ClientSettings, ConnectionState, StopReason } from "../api.ts";
import type { Clock, EncodedFrame, NetworkHint, Random, Transport, TransportConnection } from "../ports.ts";
import { fullJitterMs } from "./backoff.ts";
import { type ConnectionEvent, isConnected, nextState } from "./connection-state.ts";
import { Heartbeat } from "./heartbeat.ts";
import { asError, Requests } from "./requests.ts";
import type { TokenSource } from "./token-source.ts";
import type { TransportChoice } from "./transport-choice.ts";
import { encode, type WireEncoding, WireReader } from "./wire.ts";

/** A connection that lived so long was a good one: the next failure begins with the shortest delay. */
const goodAfterMs = 5_000;
const probeMs = 5_000;
/** A page that goes away does not connect again by itself meanwhile: one that comes back says so. */
const awayMs = 60_000;
/** A browser that says it is offline is nearly always right: only a server on this machine can still answer. */
const offlineProbeMs = 1_500;

/** What the connection needs from the engine. */
export interface ConnectionSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: ClientSettings;
  readonly choice: TransportChoice;
  readonly token: TokenSource;
  readonly codec: "messagepack" | "json";
  /** Device and platform, as `connect` carries them. */
  device(): { readonly device: string; readonly platform: string | undefined };
  changed(state: ConnectionState): void;
  /** The server took us: commands can be sent. Returns why the client must stop instead, if so. */
  accepted(reply: FrameNamed<"connect.ok">): { reason: StopReason; message: string } | undefined;
  /** A push that came by itself. */
  pushed(frame: Push): void;
  /** Nothing that was asked will be answered. */
  lost(): void;
  /** `ping.ok`. */
  pong(reply: FrameNamed<"ping.ok">): void;
  failed(error: unknown): void;
}

/** The life of the connection: makes it, proves it alive, notices its end and makes the next one. */
export class Connection {
  readonly requests: Requests;
  readonly #around: ConnectionSurroundings;
  readonly #heartbeat: Heartbeat;
  #state: ConnectionState = { status: "idle" };
  /** Rises with every attempt: what belongs to an earlier one is ignored. */
  #generation = 0;
  #transport: TransportConnection | undefined;
  #encoding: WireEncoding = "messagepack";
  #outgoing: EncodedFrame[] = [];
  #isFlushing = false;
  #attempt = 0;
  #liveSince = 0;
  #hasAnswered = false;
  #session: string | undefined;
  #cancelTimer: (() => void) | undefined;
  #cancelDrain: (() => void) | undefined;

  constructor(around: ConnectionSurroundings) {
    this.#around = around;
    this.requests = new Requests(around.clock, around.settings.requestTimeoutMs, (frame) =>
      this.#send(frame),
    );
    this.#heartbeat = new Heartbeat(
      around.clock,
      () => this.#ping(),
      () => this.lose("nothing was heard from the server"),
    );
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get generation(): number {
    return this.#generation;
  }

  get isConnected(): boolean {
    return this.#transport !== undefined && isConnected(this.#state);
  }

  start(): void {
    if (this.#state.status === "waiting") return this.retryNow();
    if (this.#state.status !== "idle" && this.#state.status !== "stopped") return;
    this.#attempt = 0;
    this.#begin("start");
  }

  stop(reason: StopReason, message: string): void {
    if (this.#state.status === "stopped") return;
    this.#tearDown();
    this.#apply({ type: "stop", reason, message });
  }

  /** Sends what is queued at once. */
  flush(): void {
    if (this.#outgoing.length === 0) return;
    const frames = this.#outgoing;
    this.#outgoing = [];
    this.#transport?.send(frames);
  }

  /** The network may be back: a wait ends, a connection that looks alive has to prove it. */
  retryNow(): void {
    if (this.#state.status === "waiting") this.#begin("due");
    else if (this.isConnected) this.#probe(probeMs);
  }

  /** The network has changed. Told that it is gone, a wait goes on; what is open has little time to prove itself. */
  hinted(hint: NetworkHint): void {
    if (hint === "leave") this.#leave();
    else if (hint !== "offline") this.retryNow();
    else if (this.isConnected) this.#probe(offlineProbeMs);
  }

  /** The last word before `stop`: the session ends, instead of waiting for its device to come back. */
  disconnect(): void {
    this.requests.ask({ type: "disconnect" }, { reply: () => undefined, failed: () => undefined });
    this.flush();
  }

  #leave(): void {
    if (!this.isConnected) return;
    this.disconnect();
    this.lose("the page was left", awayMs);
  }

  synced(): void {
    this.#liveSince = this.#around.clock.now();
    this.#apply({ type: "synced" });
  }

  behind(): void {
    this.#apply({ type: "behind" });
  }

  /** Ends the connection and makes another after a while: at least `retryAfterMs`, `now` without any. */
  lose(reason: string, retryAfterMs?: number | "now"): void {
    const { status } = this.#state;
    if (status === "idle" || status === "waiting" || status === "stopped") return;
    const { clock, random, settings, choice } = this.#around;
    if (!this.#hasAnswered) choice.failed();
    if (status === "live" && clock.now() - this.#liveSince >= goodAfterMs) this.#attempt = 0;
    this.#tearDown();
    this.#attempt++;
    const jitterMs = fullJitterMs(
      random,
      this.#attempt,
      settings.reconnectDelayMsFirst,
      settings.reconnectDelayMsMax,
    );
    const delayMs = retryAfterMs === "now" ? 0 : Math.round((retryAfterMs ?? 0) + jitterMs);
    this.#apply({ type: "lost", attempt: this.#attempt, retryAt: clock.now() + delayMs, reason });
    this.#wait(delayMs, () => this.#begin("due"));
  }

  #apply(event: ConnectionEvent): void {
    const state = nextState(this.#state, event);
    if (state === this.#state) return;
    this.#state = state;
    this.#around.changed(state);
  }

  #begin(type: "start" | "due"): void {
    this.#cancelWait();
    const generation = ++this.#generation;
    const transport = this.#around.choice.next();
    this.#hasAnswered = false;
    this.#apply({ type, attempt: this.#attempt, transport: transport.name });
    this.#wait(this.#around.settings.connectTimeoutMs, () => this.lose("connecting took too long"));
    this.#around.token.token().then(
      (token) => {
        if (generation === this.#generation) this.#open(transport, token, generation);
      },
      (error: unknown) => {
        if (generation !== this.#generation) return;
        this.#hasAnswered = true; // It says nothing about the transport.
        this.#around.failed(error);
        this.lose("no token could be fetched");
      },
    );
  }

  #open(transport: Transport, token: string, generation: number): void {
    const isCurrent = (): boolean => generation === this.#generation;
    const reader = new WireReader(
      (frame) => {
        if (isCurrent()) this.#receive(frame);
      },
      (error) => {
        this.#around.failed(error);
        if (isCurrent()) this.lose("the server sent what is not the protocol");
      },
    );
    this.#encoding = transport.mode === "text" ? "text" : this.#around.codec;
    this.#transport = transport.open({
      opened: () => {
        if (isCurrent()) this.#authenticate(token);
      },
      received: (data) => {
        if (!isCurrent()) return;
        this.#heartbeat.received();
        reader.push(data);
      },
      closed: ({ code, reason }) => {
        if (!isCurrent()) return;
        if (code !== undefined && code >= 4000 && code < 4300) this.#closed(code, reason, undefined);
        else this.lose(reason);
      },
    });
  }

  #authenticate(token: string): void {
    this.#apply({ type: "opened" });
    const { device, platform } = this.#around.device();
    this.requests.ask(
      { type: "connect", version: protocolVersion, token, device, platform, resume: this.#session },
      {
        reply: (reply) => {
          if (reply.type === "connect.ok") this.#accept(reply);
          else if (reply.type === "error") this.#refuse(reply);
        },
        failed: (why) => {
          if (why === "timeout") this.lose("the server did not answer");
        },
      },
    );
  }

  #accept(reply: FrameNamed<"connect.ok">): void {
    this.#cancelWait();
    this.#hasAnswered = true;
    this.#around.choice.opened();
    this.#session = reply.session;
    this.#heartbeat.start(reply.heartbeatMs);
    this.#apply({ type: "accepted", session: reply.session });
    const refusal = this.#around.accepted(reply);
    if (refusal !== undefined) this.stop(refusal.reason, refusal.message);
  }

  #refuse(reply: FrameNamed<"error">): void {
    this.#hasAnswered = true;
    const { token } = this.#around;
    const error = asError(reply);
    if (error.code === "token_expired") return this.#renew();
    if (error.code === "unauthorized") {
      // A token kept from before may simply have grown old.
      if (token.canRenew && !token.isFresh) return this.#renew();
      return this.stop("unauthorized", error.message);
    }
    if (error.code === "version_unsupported") return this.stop("protocol", error.message);
    this.lose(error.message, error.retryAfterMs);
  }

  #renew(): void {
    const { token } = this.#around;
    if (!token.canRenew) return this.stop("token_expired", closeCodes.token_expired.meaning);
    const isFirst = !token.isFresh;
    token.renew();
    // A token that is refused although it was just fetched will not become better at once.
    this.lose("the token has expired", isFirst ? "now" : undefined);
  }

  #closed(code: number, reason: string, retryAfterMs: number | undefined): void {
    this.#hasAnswered = true;
    switch (closeAdvice(code)) {
      case "renew":
        return this.#renew();
      case "reconnect":
        return this.lose(reason, retryAfterMs);
      case "stop": {
        const { token } = this.#around;
        if (code === closeCodes.unauthorized.code && token.canRenew && !token.isFresh) return this.#renew();
        return this.stop(stopReason(code), reason);
      }
    }
  }

  #receive(frame: Frame | UnknownFrame): void {
    if (frame.type === "unknown") return;
    const direction = schemaOfType(frame.type)?.direction;
    if (direction === "reply") return this.requests.receive(frame as Reply, true);
    if (direction !== "push") return;
    if (frame.id !== 0) return this.requests.receive(frame as Push, false);
    if (frame.type === "close") return this.#closed(frame.code, frame.reason, frame.retryAfterMs);
    if (frame.type === "drain") return this.#drain(frame.reconnectInMs);
    // On a line that reorders, a push may overtake `connect.ok`: who this device belongs to is not known yet, and what
    // is left out here comes with the sync that follows.
    const { status } = this.#state;
    if (status === "syncing" || status === "live") this.#around.pushed(frame as Push);
  }

  #drain(inMs: number): void {
    this.#cancelDrain?.();
    this.#cancelDrain = this.#around.clock.setTimer(inMs, () =>
      this.lose("the server asked to come back elsewhere", "now"),
    );
  }

  /** Frames of one tick leave together: one write per tick. */
  #send(frame: Command): void {
    if (this.#transport === undefined) return;
    this.#heartbeat.sent();
    try {
      this.#outgoing.push(encode(frame, this.#encoding));
    } catch (error) {
      return this.#around.failed(error);
    }
    if (this.#outgoing.length >= limits.framesPerMessageMax / 4) return this.flush();
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.flush();
    });
  }

  #ping(): void {
    this.#askPing((why) => {
      if (why === "timeout") this.lose("the server did not answer a ping");
    });
  }

  /** A ping that has to be answered soon. */
  #probe(withinMs: number): void {
    const generation = this.#generation;
    let isAlive = false;
    this.#askPing(
      () => undefined,
      () => {
        isAlive = true;
      },
    );
    this.#around.clock.setTimer(withinMs, () => {
      if (!isAlive && generation === this.#generation) this.lose("the connection did not survive");
    });
  }

  #askPing(failed: (why: "timeout" | "lost") => void, answered?: () => void): void {
    this.requests.ask(
      { type: "ping" },
      {
        reply: (reply) => {
          answered?.();
          if (reply.type === "ping.ok") this.#around.pong(reply);
        },
        failed,
      },
    );
  }

  #wait(ms: number, work: () => void): void {
    this.#cancelWait();
    this.#cancelTimer = this.#around.clock.setTimer(ms, work);
  }

  #cancelWait(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #tearDown(): void {
    this.#generation++;
    this.#cancelWait();
    this.#cancelDrain?.();
    this.#cancelDrain = undefined;
    this.#heartbeat.stop();
    this.#outgoing = [];
    this.#transport?.close();
    this.#transport = undefined;
    this.requests.fail();
    this.#around.lost();
  }
}

function stopReason(code: number): StopReason {
  switch (code) {
    case closeCodes.unauthorized.code:
      return "unauthorized";
    case closeCodes.replaced.code:
      return "replaced";
    case closeCodes.kicked.code:
      return "kicked";
    case closeCodes.disconnected.code:
      return "stopped";
    default:
      return "protocol";
  }
}
