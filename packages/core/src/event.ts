/** What nodes tell each other. A hint about committed state, never the state itself. */
import type { SharedFrame } from "@hongyan/protocol";

export type NodeEvent =
  /** An entry was committed: show it to the sessions of the subject's user, but for `exceptSession`. */
  | {
      readonly kind: "message";
      readonly conversation: string;
      readonly seq: number;
      readonly frame: SharedFrame;
      readonly exceptSession: string | undefined;
    }
  /** Positions of `user` in a conversation have moved: tell the sessions of the subject's user. */
  | {
      readonly kind: "receipt";
      readonly conversation: string;
      readonly user: string;
      readonly delivered: number;
      readonly read: number;
    }
  /** The subject's user was added to a conversation, or its name changed: with the entry `seq`. */
  | { readonly kind: "conversation"; readonly conversation: string; readonly seq: number }
  /** The store has given a device to a session: those that had it before, or with a lower version, are replaced. */
  | {
      readonly kind: "claimed";
      readonly device: string;
      readonly session: string;
      readonly before: readonly string[];
      readonly version: number;
    }
  /** End the sessions of the subject's user (of one device, where it is given). */
  | { readonly kind: "kick"; readonly device: string | undefined }
  /** Users have their first session on `node`, or have no session there any more: told on the subject of each. */
  | {
      readonly kind: "online";
      readonly domain: string;
      readonly users: readonly string[];
      readonly node: string;
      /** Rises with everything that the node says. */
      readonly turn: number;
      readonly online: boolean;
    }
  /** Whoever has a session of the subject's user tells `node` that the user is online. */
  | { readonly kind: "whereabouts"; readonly node: string }
  /** Something was committed that the broker does not carry, being too large: read after the cursors. */
  | { readonly kind: "behind" };
