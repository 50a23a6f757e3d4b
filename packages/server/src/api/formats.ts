/** Formats of strings in the schemas of the HTTP API: the same functions that guard every other door. */
import { isName, isPlainText } from "@hongyan/core";
import { isClientMessageId, isConversationId, isId, limits } from "@hongyan/protocol";

interface Format {
  readonly meaning: string;
  validate(text: string): boolean;
}

export const formats = {
  id: { meaning: "an id: 1 to 64 of A-Z a-z 0-9 _ . @ + = -", validate: isId },
  ids: {
    meaning: `1 to ${limits.listLengthMax} ids with commas between them`,
    validate: (text) => {
      const ids = text.split(",");
      return ids.length <= limits.listLengthMax && ids.every(isId);
    },
  },
  "conversation-id": {
    meaning: "a conversation id: the id of a group, or two user ids in ascending order joined by a colon",
    validate: isConversationId,
  },
  "client-message-id": {
    meaning: `a client message id: 1 to ${limits.clientMessageIdLengthMax} characters without control characters`,
    validate: isClientMessageId,
  },
  "message-type": {
    meaning: `a message type: 1 to ${limits.messageTypeLengthMax} visible characters; hongyan. is reserved for the server`,
    validate: (text) =>
      isPlainText(text, limits.messageTypeLengthMax) && text !== "" && !text.startsWith("hongyan."),
  },
  name: {
    meaning: `a name: up to ${limits.nameLengthMax} characters without control characters`,
    validate: isName,
  },
} as const satisfies Record<string, Format>;
