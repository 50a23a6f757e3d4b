import type { ClientSettings } from "./api.ts";

export const settingsDefault: ClientSettings = {
  reconnectDelayMsFirst: 500,
  reconnectDelayMsMax: 30_000,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  callTimeoutMs: 20_000,
  resendDelayMsMin: 3_000,
  resendDelayMsFirstMax: 5_000,
  resendDelayMsMax: 60_000,
  inFlightMax: 256,
  inFlightBytesMax: 1024 * 1024,
  ackMessagesMax: 64,
  ackDelayMs: 200,
  holeDelayMs: 100,
  holdBackBytesMax: 4 * 1024 * 1024,
  pageMessages: 500,
  viewMessagesFirst: 50,
  viewMessagesStep: 50,
  viewMessagesMax: 1_000,
  websocketFailuresMax: 3,
  websocketAgainAfterMs: 300_000,
};
