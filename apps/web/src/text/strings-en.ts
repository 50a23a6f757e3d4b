import type { Strings } from "./strings.ts";

const one = (count: number, singular: string, plural: string) =>
  `${count} ${count === 1 ? singular : plural}`;

const reasons: Record<string, string> = {
  conflict: "a different message with this id exists",
  forbidden: "you may not write here",
  not_found: "no such person or conversation is there for you",
  too_large: "the message is too long",
  bad_request: "the server did not accept it",
  rate_limited: "too many messages at once",
  overloaded: "the server is busy",
  unavailable: "the server cannot store messages at the moment",
  internal: "a fault of the server",
  unauthorized: "you are not signed in",
  token_expired: "your sign-in has expired",
};

const roles: Record<string, string> = { owner: "owner", admin: "admin", member: "member" };

export function english(locale: string): Strings {
  const list = new Intl.ListFormat(locale, { type: "conjunction" });
  return {
    locale,
    appName: "Hongyan",
    tagline: "Messages that arrive.",
    today: "Today",
    yesterday: "Yesterday",
    you: "You",
    close: "Close",
    cancel: "Cancel",
    back: "Back to conversations",

    signIn: {
      title: "Sign in",
      lead: "You need a sign-in link. The server prints one for every demo user when it starts; anyone else gets one from whoever runs it.",
      field: "Sign-in link or token",
      placeholder: "http://…/#token=…",
      submit: "Sign in",
      hint: "On the server, in the folder of Hongyan, a token is made by",
      command: "npx hongyan token --user ID",
      hintAfter: ", with the same --config or --data as the server. It can be pasted here; as a link it is",
      asUser: (name, domain) => `Continue as ${name} (${domain})`,
      remembered: "On this browser",
      forget: (name) => `Forget ${name}`,
      malformed: "This is not a sign-in link or token.",
      refused: "The server does not accept this sign-in. Ask for a new link.",
      expired: "This sign-in has expired. Ask for a new link.",
    },

    list: {
      label: "Conversations",
      search: "Search conversations",
      clearSearch: "Clear search",
      newChat: "New conversation",
      empty: "No conversations yet",
      emptyHint: "Start one with somebody you know.",
      nothingFound: (text) => `Nothing found for “${text}”.`,
      loading: "Loading conversations",
      unread: (count) => one(count, "unread message", "unread messages"),
      draft: "Draft:",
      noMessages: "No messages yet",
      signOut: "Sign out",
    },

    chat: {
      pick: "Your conversations",
      pickHint: "Pick one on the left, or start a new one.",
      messages: "Messages",
      messagesWith: (name) => `Messages with ${name}`,
      members: (count) => one(count, "member", "members"),
      direct: "Direct conversation",
      online: "online",
      offline: "offline",
      left: "You are not a member",
      details: "Group details",
      beginning: "This is where it begins.",
      loadingOlder: "Loading earlier messages",
      unreadLine: "New messages",
      toFirstUnread: (count) => one(count, "new message", "new messages"),
      toBottom: (count) =>
        count > 0 ? `Go to the latest, ${one(count, "new message", "new messages")}` : "Go to the latest",
      newMessage: (from, text) => `${from}: ${text}`,
      notText: "a message that is not text",
      gone: "This conversation is not available.",
      longer: (characters) => `Show all ${characters.toLocaleString(locale)} characters`,
    },

    composer: {
      label: (name) => `Message to ${name}`,
      placeholder: "Write a message",
      send: "Send",
      hint: "Enter sends, Shift+Enter starts a new line",
      leftGroup: "You are no longer a member of this group.",
    },

    state: {
      queued: "Waiting to be sent",
      stored: "Sent",
      delivered: "Delivered",
      read: "Read",
      failed: "Not sent",
      retry: "Try again",
      edit: "Edit",
      discard: "Discard",
      reason: (code) => reasons[code] ?? code,
    },

    receipts: {
      title: "Message status",
      read: (count) => `Read · ${count}`,
      delivered: (count) => `Delivered · ${count}`,
      waiting: (count) => `Not yet delivered · ${count}`,
      open: "Show who has received and read this message",
      nobody: "Nobody else is in this group.",
    },

    connection: {
      connecting: "Connecting…",
      online: "Connected",
      offline: "You are offline. Your messages will be sent when you are back.",
      reconnecting: (seconds) =>
        seconds > 0 ? `Connection lost. Trying again in ${seconds} s.` : "Connection lost. Trying again…",
      replaced: "You are signed in with this device elsewhere.",
      takeOver: "Use it here",
      tryNow: "Try now",
      expired: "Your sign-in has expired. Messages you write are kept.",
      unauthorized: "The server does not accept this sign-in.",
      stopped: (reason) => `The server ended the session: ${reason}.`,
      signInAgain: "Sign in again",
    },

    people: {
      title: "New conversation",
      group: "New group",
      search: "Search people or enter a user id",
      empty: "Nobody here yet. Enter the id of a user to write to them.",
      self: "This is you.",
      inAlready: (id) => `${id} is in the group already.`,
      noMatch: (text) =>
        `No match for “${text}”. A user id has up to 64 letters a–z, A–Z, digits and . _ - @ + =, without spaces.`,
      byId: (id) => `Write to ${id}`,
      groupTitle: "New group",
      groupName: "Group name",
      groupNamePlaceholder: "For example: Weekend walk",
      chosen: (count) => `${count} chosen`,
      create: "Create group",
      remove: (name) => `Remove ${name}`,
      loading: "Loading people",
      failed: (reason) => `That did not work: ${reason}.`,
    },

    group: {
      title: "Group details",
      rename: "Rename",
      save: "Save",
      add: "Add people",
      addTitle: "Add people",
      addSubmit: (count) => (count > 0 ? `Add ${one(count, "person", "people")}` : "Add"),
      remove: (name) => `Remove ${name} from the group`,
      removeSure: (name) =>
        `Remove ${name} from the group? They keep what they have, and get no new messages.`,
      removeSubmit: "Remove",
      leave: "Leave group",
      leaveSure: (name) => `Leave “${name}”? You keep what you can read now, and get no new messages.`,
      owner: "Owner",
      admin: "Admin",
      role: (role) => roles[role] ?? role,
      membersTitle: (count) => one(count, "member", "members"),
      message: (name) => `Write to ${name}`,
    },

    system: {
      created: (by) => (by === "" ? "The group was created" : `${by} created the group`),
      added: (by, users) => (by === "" ? `Added: ${users}` : `${by} added ${users}`),
      removed: (by, users) => (by === "" ? `Removed: ${users}` : `${by} removed ${users}`),
      left: (who) => `${who} left`,
      joined: (who) => `${who} joined`,
      renamed: (by, name) =>
        by === "" ? `The group is now called “${name}”` : `${by} renamed the group to “${name}”`,
      role: (by, users, role) =>
        by === "" ? `${users}: now ${roles[role] ?? role}` : `${by} made ${users} ${roles[role] ?? role}`,
      other: "Something changed in this conversation",
      list: (names) => list.format(names),
    },
  };
}
