/** Names one of this user's messages. Numbers of client message ids are counted per conversation, so the id alone does not. */
export interface MessageName {
  readonly conversation: string;
  readonly clientMessageId: string;
}

/** No conversation id has a slash in it. */
export function messageKey({ conversation, clientMessageId }: MessageName): string {
  return `${conversation}/${clientMessageId}`;
}
