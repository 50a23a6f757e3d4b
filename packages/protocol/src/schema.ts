/**
 * The vocabulary that frames are described in. A frame's fields have a name (JSON) and a place (MessagePack);
 * both are fixed for ever, new fields are only added at the end and are optional.
 */

export type FieldKind = "string" | "uint" | "boolean" | "strings" | "positions";

/** Conversation → seq: the positions of a reader. A map on the wire, pairs in memory. */
export type Positions = readonly (readonly [conversation: string, seq: number])[];

interface KindTypes {
  string: string;
  uint: number;
  boolean: boolean;
  strings: readonly string[];
  positions: Positions;
}

export interface Field {
  readonly kind: FieldKind;
  readonly optional: boolean;
  /** Largest number of characters, entries, or the largest value. */
  readonly max: number;
}

export interface Required_<K extends FieldKind> extends Field {
  readonly kind: K;
  readonly optional: false;
}
export interface Optional_<K extends FieldKind> extends Field {
  readonly kind: K;
  readonly optional: true;
}

export type Fields = Readonly<Record<string, Field>>;

export type ValuesOf<F extends Fields> = {
  [N in keyof F as F[N]["optional"] extends true ? never : N]: KindTypes[F[N]["kind"]];
} & {
  [N in keyof F as F[N]["optional"] extends true ? N : never]?: KindTypes[F[N]["kind"]] | undefined;
};

/** Who sends a frame of this type, and whether it answers. */
export type Direction = "command" | "reply" | "push";

export interface FrameSchema<T extends string = string, F extends Fields = Fields> {
  readonly type: T;
  /** The number on the wire. */
  readonly code: number;
  readonly direction: Direction;
  readonly fields: F;
  /** The same fields in wire order, for loops that must not look anything up. */
  readonly places: readonly (Field & { readonly name: string })[];
  /** Whether a body of opaque bytes may follow the fields. */
  readonly hasBody: boolean;
}

export function field<K extends FieldKind>(kind: K, max: number): Required_<K> {
  return { kind, optional: false, max };
}

export function optional<K extends FieldKind>(of: Required_<K>): Optional_<K> {
  return { kind: of.kind, optional: true, max: of.max };
}

export function frame<T extends string, F extends Fields>(
  code: number,
  type: T,
  direction: Direction,
  fields: F,
  hasBody = false,
): FrameSchema<T, F> {
  const places = Object.entries(fields).map(([name, of]) => ({ name, ...of }));
  return { type, code, direction, fields, places, hasBody };
}
