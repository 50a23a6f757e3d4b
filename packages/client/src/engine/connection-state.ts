import type { ConnectionState, StopReason } from "../api.ts";

/*
 * The story: `idle` until `start`; `connecting` while a token is fetched and the transport opens; `authenticating`
 * until `connect.ok`; `syncing` while what was missed is read; then `live`. Whatever ends a connection leads to
 * `waiting`, and from there to `connecting` again; only a reason that trying again cannot cure leads to `stopped`.
 *
 *   idle ─start→ connecting ─opened→ authenticating ─accepted→ syncing ⇄ live
 *                    ↑                    any ─lost→ waiting ─due→ connecting
 *                    └──start── stopped ←stop─ any
 */
export type ConnectionEvent =
  | { readonly type: "start"; readonly attempt: number; readonly transport: string }
  | { readonly type: "opened" }
  | { readonly type: "accepted"; readonly session: string }
  /** Everything that was missed is here. */
  | { readonly type: "synced" }
  /** The server has stopped pushing: pull. */
  | { readonly type: "behind" }
  | { readonly type: "lost"; readonly attempt: number; readonly retryAt: number; readonly reason: string }
  | { readonly type: "due"; readonly attempt: number; readonly transport: string }
  | { readonly type: "stop"; readonly reason: StopReason; readonly message: string };

type Status = ConnectionState["status"];
type StateOf<S extends Status> = Extract<ConnectionState, { status: S }>;
type EventOf<E extends ConnectionEvent["type"]> = Extract<ConnectionEvent, { type: E }>;

/** Total: a combination that is missing does not compile. */
type Table = {
  readonly [S in Status]: {
    readonly [E in ConnectionEvent["type"]]: (state: StateOf<S>, event: EventOf<E>) => ConnectionState;
  };
};

const stay = <S extends ConnectionState>(state: S): S => state;
const connect = (_: ConnectionState, event: EventOf<"start"> | EventOf<"due">): ConnectionState => ({
  status: "connecting",
  attempt: event.attempt,
  transport: event.transport,
});
const wait = (_: ConnectionState, event: EventOf<"lost">): ConnectionState => ({
  status: "waiting",
  attempt: event.attempt,
  retryAt: event.retryAt,
  reason: event.reason,
});
const stop = (_: ConnectionState, event: EventOf<"stop">): ConnectionState => ({
  status: "stopped",
  reason: event.reason,
  message: event.message,
});

/** What is meaningless in most states, so that each row below says only what is special about it. */
const nothing = {
  start: stay,
  opened: stay,
  accepted: stay,
  synced: stay,
  behind: stay,
  lost: stay,
  due: stay,
  stop,
} as const;

const table: Table = {
  idle: { ...nothing, start: connect },
  connecting: {
    ...nothing,
    opened: ({ attempt, transport }) => ({ status: "authenticating", attempt, transport }),
    lost: wait,
  },
  authenticating: {
    ...nothing,
    accepted: ({ transport }, { session }) => ({ status: "syncing", transport, session }),
    lost: wait,
  },
  syncing: {
    ...nothing,
    synced: ({ transport, session }) => ({ status: "live", transport, session }),
    lost: wait,
  },
  live: {
    ...nothing,
    behind: ({ transport, session }) => ({ status: "syncing", transport, session }),
    lost: wait,
  },
  waiting: { ...nothing, start: connect, due: connect },
  stopped: { ...nothing, start: connect, stop: stay },
};

/** The state after `event`; the same object where nothing changes. */
export function nextState(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  const row = table[state.status] as Record<
    string,
    (state: ConnectionState, event: ConnectionEvent) => ConnectionState
  >;
  const transition = row[event.type];
  return transition === undefined ? state : transition(state, event);
}

/** True where commands can be sent. */
export function isConnected(state: ConnectionState): boolean {
  return state.status === "syncing" || state.status === "live";
}
