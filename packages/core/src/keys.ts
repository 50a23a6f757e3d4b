/** Names of logs, cursors and records in the store. Ids hold no slash, so that every name is unambiguous. */
import type { LogId } from "./ports.ts";

export function conversationLog(domain: string, conversation: string): LogId {
  return `${domain}/conversation/${conversation}`;
}

/** A log without entries: its readers are the devices of a user that have been here. */
export function deviceLog(domain: string, user: string): LogId {
  return `${domain}/devices/${user}`;
}

/** Cursor of one device: everything up to it was handed to the application there. */
export function deliveredReader(user: string, device: string): string {
  return `d/${user}/${device}`;
}

/** Cursor of a user: everything up to it was read, on whichever device. */
export function readReader(user: string): string {
  return `r/${user}`;
}

/** The user of a cursor's name, and whether it is a `read` cursor. */
export function parseReader(reader: string): { readonly user: string; readonly isRead: boolean } {
  const isRead = reader.startsWith("r/");
  const end = isRead ? reader.length : reader.indexOf("/", 2);
  return { user: reader.slice(2, end), isRead };
}

export const recordKeys = {
  user: (domain: string, user: string) => `${domain}/user/${user}`,
  users: (domain: string) => `${domain}/user/`,
  conversation: (domain: string, conversation: string) => `${domain}/conversation/${conversation}`,
  conversations: (domain: string) => `${domain}/conversation/`,
  member: (domain: string, conversation: string, user: string) => `${domain}/member/${conversation}/${user}`,
  members: (domain: string, conversation: string) => `${domain}/member/${conversation}/`,
  /** Exists as long as a former member of a group has not come in again: what a send of theirs must not find. */
  departed: (domain: string, conversation: string, user: string) =>
    `${domain}/departed/${conversation}/${user}`,
  /** Which session a device has, whichever node it is on. */
  device: (domain: string, user: string, device: string) => `${domain}/device/${user}/${device}`,
  membership: (domain: string, user: string, conversation: string) =>
    `${domain}/membership/${user}/${conversation}`,
  memberships: (domain: string, user: string) => `${domain}/membership/${user}/`,
} as const;

/** Where it is published that a user comes online or goes offline. */
export function presenceSubject(domain: string, user: string): string {
  return `${domain}/${user}/presence`;
}

/** Where others answer a node. */
export function nodeSubject(node: string): string {
  return `/node/${node}`;
}

/** Where events for the sessions of a user are published. */
export function userSubject(domain: string, user: string): string {
  return `${domain}/${user}`;
}
