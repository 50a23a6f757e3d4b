/**
 * Every bound of the wire, in one place. A peer that exceeds one gets an error or a close code; nothing is
 * silently cut. Limits of a deployment (bodies, rates) are configured in the server and announced in `connect.ok`.
 */
export const limits = {
  /** Bytes of the fixed header, the length field included. */
  headerBytes: 12,
  /** Largest frame, header included: fields (≤ 64 KiB) and the largest body that can be configured. */
  frameBytesMax: 1024 * 1024 + 65_536 + 12,
  /** Largest encoded field block; its length travels in 16 bits. */
  fieldsBytesMax: 65_535,
  /** Largest message body that a server may be configured to accept. */
  bodyBytesMax: 1024 * 1024,
  /** Characters of a user, device or group id. */
  idLengthMax: 64,
  /** Characters of a conversation id: two user ids and the colon between them. */
  conversationIdLengthMax: 129,
  /** Characters of a client message id. */
  clientMessageIdLengthMax: 128,
  /** Characters of a message type; none of them a control character. */
  messageTypeLengthMax: 64,
  /** Characters of the name of a user or group: well-formed Unicode, no control characters. */
  nameLengthMax: 128,
  /** Bytes of a token. */
  tokenLengthMax: 4096,
  /** Conversations in one `ack`, `read` or `sync`. */
  positionsMax: 400,
  /** Ids in one list field. */
  listLengthMax: 500,
  /** Users whose presence a session is told of. */
  watchedMax: 200,
  /** Messages in one page of `sync` or `history`. */
  pageMessagesMax: 1000,
  /** Frames in one binary WebSocket message or one HTTP upload. */
  framesPerMessageMax: 4096,
} as const;
