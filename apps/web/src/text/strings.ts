import { english } from "./strings-en.ts";
import { chinese } from "./strings-zh.ts";

/** Every sentence of the page. A language is one object of this type: a missing sentence does not compile. */
export interface Strings {
  /** BCP 47, for `lang` and for dates. */
  locale: string;
  appName: string;
  tagline: string;
  today: string;
  yesterday: string;
  you: string;
  close: string;
  cancel: string;
  back: string;

  signIn: {
    title: string;
    lead: string;
    field: string;
    placeholder: string;
    submit: string;
    hint: string;
    command: string;
    hintAfter: string;
    asUser(name: string, domain: string): string;
    remembered: string;
    forget(name: string): string;
    malformed: string;
    refused: string;
    expired: string;
  };

  list: {
    label: string;
    search: string;
    clearSearch: string;
    newChat: string;
    empty: string;
    emptyHint: string;
    nothingFound(text: string): string;
    loading: string;
    unread(count: number): string;
    draft: string;
    noMessages: string;
    signOut: string;
  };

  chat: {
    pick: string;
    pickHint: string;
    messages: string;
    messagesWith(name: string): string;
    members(count: number): string;
    direct: string;
    online: string;
    offline: string;
    /** Below the name of a group that one has left: how many are in it is not known any more. */
    left: string;
    details: string;
    beginning: string;
    loadingOlder: string;
    unreadLine: string;
    toFirstUnread(count: number): string;
    toBottom(count: number): string;
    newMessage(from: string, text: string): string;
    notText: string;
    gone: string;
    longer(characters: number): string;
  };

  composer: {
    label(name: string): string;
    placeholder: string;
    send: string;
    hint: string;
    leftGroup: string;
  };

  state: {
    queued: string;
    stored: string;
    delivered: string;
    read: string;
    failed: string;
    retry: string;
    edit: string;
    discard: string;
    reason(code: string): string;
  };

  receipts: {
    title: string;
    read(count: number): string;
    delivered(count: number): string;
    waiting(count: number): string;
    open: string;
    nobody: string;
  };

  connection: {
    connecting: string;
    online: string;
    offline: string;
    reconnecting(seconds: number): string;
    replaced: string;
    takeOver: string;
    tryNow: string;
    expired: string;
    unauthorized: string;
    stopped(reason: string): string;
    signInAgain: string;
  };

  people: {
    title: string;
    group: string;
    search: string;
    empty: string;
    self: string;
    inAlready(id: string): string;
    noMatch(text: string): string;
    byId(id: string): string;
    groupTitle: string;
    groupName: string;
    groupNamePlaceholder: string;
    chosen(count: number): string;
    create: string;
    remove(name: string): string;
    loading: string;
    failed(reason: string): string;
  };

  group: {
    title: string;
    rename: string;
    save: string;
    add: string;
    addTitle: string;
    addSubmit(count: number): string;
    remove(name: string): string;
    removeSure(name: string): string;
    removeSubmit: string;
    leave: string;
    leaveSure(name: string): string;
    owner: string;
    admin: string;
    role(role: string): string;
    membersTitle(count: number): string;
    message(name: string): string;
  };

  /** `by` and `who` are empty where the server itself did it. */
  system: {
    created(by: string): string;
    added(by: string, users: string): string;
    removed(by: string, users: string): string;
    left(who: string): string;
    joined(who: string): string;
    renamed(by: string, name: string): string;
    role(by: string, users: string, role: string): string;
    other: string;
    list(names: readonly string[]): string;
  };
}

/** Simplified Chinese for any Chinese preference, English otherwise. */
export function stringsOf(languages: readonly string[]): Strings {
  for (const language of languages) {
    const primary = language.toLowerCase().split("-")[0];
    if (primary === "zh") return chinese(language);
    if (primary === "en") return english(language);
  }
  return english("en");
}
