/**
 * The version that `connect` carries. A server speaks its own version and the one before.
 *
 * Rules: codes, field order and meanings never change. A new optional field at the end, a new frame type, a new
 * error or close code do not raise the version: old sides ignore or answer them. Anything else does. A test
 * hashes the schema, so that nobody changes the wire by accident.
 *
 * History
 *   1  2026-11  First version. Later: `presence`, `online`.
 */
export const protocolVersion = 1;
export const protocolVersionMin = 1;
