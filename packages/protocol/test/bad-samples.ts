/** Bytes and texts that a peer must refuse, each with the error it earns. Part of the golden vectors. */
import type { ErrorName } from "@hongyan/protocol";

export interface BadSample {
  readonly name: string;
  readonly hex?: string;
  readonly text?: string;
  readonly error: ErrorName;
  /** Whether the connection ends; otherwise only this command has failed. */
  readonly fatal: boolean;
  /** The id that the error answers, 0 where none could be read. */
  readonly id: number;
}

const header = (length: number, type: number, flags: number, fieldsLength: number, id: number): string =>
  [
    length.toString(16).padStart(8, "0"),
    byte(type),
    byte(flags),
    fieldsLength.toString(16).padStart(4, "0"),
    id.toString(16).padStart(8, "0"),
  ].join("");
const byte = (value: number): string => value.toString(16).padStart(2, "0");
const ascii = (text: string): string => Array.from(new TextEncoder().encode(text), byte).join("");

/** A frame of `type` with these fields in hex; its lengths are right. */
function framed(type: number, flags: number, fields: string, id = 5, body = ""): string {
  const fieldsLength = fields.length / 2;
  return header(8 + fieldsLength + body.length / 2, type, flags, fieldsLength, id) + fields + body;
}

const json = 0;
const messagePack = 1;
const send = 3;
const ack = 4;

export const badSamples: readonly BadSample[] = [
  {
    name: "a length below the header",
    hex: header(7, 2, json, 0, 5),
    error: "bad_frame",
    fatal: true,
    id: 0,
  },
  { name: "a length of zero", hex: "00000000", error: "bad_frame", fatal: true, id: 0 },
  {
    name: "a length of 4 GiB",
    hex: header(0xffffffff, 2, json, 0, 5),
    error: "too_large",
    fatal: true,
    id: 0,
  },
  {
    name: "fields longer than the frame",
    hex: header(8, 2, json, 1, 5),
    error: "bad_frame",
    fatal: true,
    id: 5,
  },
  { name: "codec 2", hex: framed(2, 2, "", 5), error: "bad_frame", fatal: true, id: 5 },
  { name: "codec 3", hex: framed(2, 3, "", 5), error: "bad_frame", fatal: true, id: 5 },
  {
    name: "JSON that does not parse",
    hex: framed(ack, json, ascii("{")),
    error: "bad_frame",
    fatal: true,
    id: 5,
  },
  {
    name: "JSON that is not an object",
    hex: framed(ack, json, ascii("[]")),
    error: "bad_frame",
    fatal: true,
    id: 5,
  },
  {
    name: "JSON with malformed UTF-8",
    hex: framed(ack, json, `${ascii('{"a":"')}ff${ascii('"}')}`),
    error: "bad_frame",
    fatal: true,
    id: 5,
  },
  {
    name: "JSON without a required field",
    hex: framed(ack, json, ascii("{}")),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "JSON with null for a required field",
    hex: framed(ack, json, ascii('{"positions":null}')),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "JSON with a number for a string",
    hex: framed(send, json, ascii('{"conversation":1,"clientMessageId":"a"}')),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "JSON with a negative seq",
    hex: framed(ack, json, ascii('{"positions":{"team":-1}}')),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "JSON with a fraction",
    hex: framed(ack, json, ascii('{"positions":{"team":1.5}}')),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "JSON with 2^53",
    hex: framed(ack, json, ascii('{"positions":{"team":9007199254740992}}')),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "JSON with a device id of 65 characters",
    hex: framed(1, json, ascii(`{"version":1,"token":"t","device":"${"d".repeat(65)}"}`)),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "MessagePack that is no array",
    hex: framed(ack, messagePack, "80"),
    error: "bad_frame",
    fatal: true,
    id: 5,
  },
  {
    name: "MessagePack that ends early",
    hex: framed(send, messagePack, "92a4"),
    error: "bad_frame",
    fatal: true,
    id: 5,
  },
  {
    name: "MessagePack with a string longer than the fields",
    hex: framed(send, messagePack, "92dbffffffff61"),
    error: "bad_frame",
    fatal: true,
    id: 5,
  },
  {
    name: "MessagePack with an array of 4 billion",
    hex: framed(13 + 1, messagePack, "92a161ddffffffff"),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "MessagePack with a map of 4 billion",
    hex: framed(ack, messagePack, "91dfffffffff"),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "MessagePack with malformed UTF-8",
    hex: framed(send, messagePack, "92a1ffa161"),
    error: "bad_frame",
    fatal: true,
    id: 5,
  },
  {
    name: "MessagePack with an overlong encoding of a slash",
    hex: framed(send, messagePack, "92a2c0afa161"),
    error: "bad_frame",
    fatal: true,
    id: 5,
  },
  {
    name: "MessagePack with a surrogate in UTF-8",
    hex: framed(send, messagePack, "92a3eda080a161"),
    error: "bad_frame",
    fatal: true,
    id: 5,
  },
  {
    name: "MessagePack without a required field",
    hex: framed(send, messagePack, "91a161"),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "MessagePack with nil for a required field",
    hex: framed(send, messagePack, "92c0a161"),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "MessagePack with a number for a string",
    hex: framed(send, messagePack, "9201a161"),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "MessagePack with a negative number",
    hex: framed(ack, messagePack, "9181a161ff"),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "MessagePack with 2^53",
    hex: framed(ack, messagePack, "9181a161cf0020000000000000"),
    error: "bad_request",
    fatal: false,
    id: 5,
  },
  {
    name: "MessagePack with an unknown field nested 40 deep",
    hex: framed(2, messagePack, `91${"91".repeat(40)}c0`),
    error: "bad_frame",
    fatal: true,
    id: 5,
  },
  {
    name: "MessagePack with the byte c1",
    hex: framed(2, messagePack, "91c1"),
    error: "bad_frame",
    fatal: true,
    id: 5,
  },
  { name: "text that is not JSON", text: "hello", error: "bad_frame", fatal: true, id: 0 },
  { name: "text that is not an object", text: "[1]", error: "bad_frame", fatal: true, id: 0 },
  { name: "text without a type", text: '{"id":3}', error: "bad_request", fatal: false, id: 3 },
  {
    name: "text with an id that is no number",
    text: '{"type":"ping","id":"3"}',
    error: "bad_request",
    fatal: false,
    id: 0,
  },
  {
    name: "text with an id of 2^32",
    text: '{"type":"ping","id":4294967296}',
    error: "bad_request",
    fatal: false,
    id: 0,
  },
  {
    name: "text without a required field",
    text: '{"type":"ack","id":3}',
    error: "bad_request",
    fatal: false,
    id: 3,
  },
  {
    name: "text with a body that is an object",
    text: '{"type":"send","id":3,"conversation":"team","clientMessageId":"a","body":{}}',
    error: "bad_request",
    fatal: false,
    id: 3,
  },
  {
    name: "text with a bodyBase64 that is none",
    text: '{"type":"send","id":3,"conversation":"team","clientMessageId":"a","bodyBase64":"%%"}',
    error: "bad_request",
    fatal: false,
    id: 3,
  },
  {
    name: "text with half a surrogate pair in the body",
    text: '{"type":"send","id":3,"conversation":"team","clientMessageId":"a","body":"\\ud800"}',
    error: "bad_request",
    fatal: false,
    id: 3,
  },
];
