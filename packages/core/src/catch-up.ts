import type { Conversation } from "./conversation.ts";
import { recordKeys } from "./keys.ts";
import { decodeMessage, isSystemType } from "./message.ts";
import { usersOfNotice } from "./notice.ts";
import type { Store } from "./ports.ts";
import { type ConversationRecord, decodeRecord, type MemberRecord } from "./record.ts";

const page = { count: 500, bytes: 1024 * 1024 };

/**
 * Takes the next entries that another node has committed into account: one page after the head. Members first, then
 * the head, so that who may read what is known up to the head at least. False where the log does not go on there.
 */
export async function catchUp(store: Store, conversation: Conversation): Promise<boolean> {
  const { domain, id, log, head } = conversation;
  const entries = await store.read(log, head, page);
  if (entries[0]?.seq !== head + 1) return conversation.head > head;
  const messages = entries.map((entry) => decodeMessage(id, entry));
  const changes = messages.filter(({ messageType }) => isSystemType(messageType));
  if (changes.length > 0 || head === 0) {
    const users = [...new Set(changes.flatMap(usersOfNotice))];
    const keys = users.map((user) => recordKeys.member(domain, id, user));
    const [about, ...members] = await store.records([recordKeys.conversation(domain, id), ...keys]);
    // A change of this node may have been committed since; it would not have been, had there been others before it.
    if (about !== undefined && about.version >= conversation.version) {
      conversation.describe(decodeRecord<ConversationRecord>(about.value), about.version);
      users.forEach((user, at) => {
        const record = members[at];
        if (record !== undefined)
          conversation.setMember(user, decodeRecord<MemberRecord>(record.value), record.version);
      });
    }
  }
  for (const message of messages) {
    // Some of it may have come as an event meanwhile.
    if (message.seq === conversation.head + 1)
      conversation.append(message, isSystemType(message.messageType));
  }
  return true;
}
