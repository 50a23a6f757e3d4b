import type { FieldCodec } from "./field-codec.ts";
import { jsonCodec } from "./json-codec.ts";
import { messagePackCodec } from "./messagepack-codec.ts";

/** All serialisations, by their number in the header. */
export const codecs: readonly FieldCodec[] = [jsonCodec, messagePackCodec];

/** How a connection speaks: binary frames in one of the codecs, or text mode. Settled by its first frame. */
export type Encoding = "json" | "messagepack" | "text";
