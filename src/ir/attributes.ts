// Attributes of operations: compile-time values beside the operands. Each operation declares a schema, from which
// come the static type its rules see, the checks of the verifier, and the text form.

import type { Dim } from "./dim.ts";
import { type DType, isDType } from "./dtype.ts";

export type Attribute = Dim | boolean | string | readonly Attribute[];
export type Attributes = Readonly<Record<string, Attribute>>;

/** One kind of attribute: whether a raw value is of it. `expected` completes "must be …" in errors. */
export interface AttributeKind<T extends Attribute = Attribute> {
  readonly expected: string;
  is(value: Attribute): value is T;
}

export type AttributeSchema = Readonly<Record<string, AttributeKind>>;
export type AttributesOf<S extends AttributeSchema> = {
  readonly [K in keyof S]: S[K] extends AttributeKind<infer T> ? T : never;
};

const kind = <T extends Attribute>(expected: string, is: (value: Attribute) => value is T): AttributeKind<T> => ({
  expected,
  is,
});

const isInt = (v: Attribute): v is number => typeof v === "number" && Number.isInteger(v);
const isDimension = (v: Attribute): v is Dim => isInt(v) || (typeof v === "object" && "terms" in v);
const isInts = (v: Attribute): v is readonly number[] => Array.isArray(v) && v.every(isInt);
const isPairs = (v: Attribute): v is readonly (readonly number[])[] => Array.isArray(v) && v.every(isInts);

export const attribute = {
  int: kind("an integer", isInt),
  float: kind("a number", (v): v is number => typeof v === "number"),
  bool: kind("true or false", (v): v is boolean => typeof v === "boolean"),
  text: kind("a text", (v): v is string => typeof v === "string"),
  ints: kind("a list of integers", isInts),
  /** Of a size, as dimensions mention it. */
  name: kind("a name", (v): v is string => typeof v === "string"),
  /** Lists of lists of integers, such as padding [[1, 1], [0, 2]]. */
  intLists: kind("a list of lists of integers", isPairs),
  dim: kind("a dimension", isDimension),
  dims: kind("a list of dimensions", (v): v is readonly Dim[] => Array.isArray(v) && v.every(isDimension)),
  /** Pairs of dimensions, such as the padding before and after each axis. */
  dimLists: kind(
    "a list of lists of dimensions",
    (v): v is readonly (readonly Dim[])[] =>
      Array.isArray(v) && v.every((row) => Array.isArray(row) && row.every(isDimension)),
  ),
  floats: kind(
    "a list of numbers",
    (v): v is readonly number[] => Array.isArray(v) && v.every((x) => typeof x === "number"),
  ),
  dtype: kind("an element type", (v): v is DType => typeof v === "string" && isDType(v)),
  oneOf: <const T extends readonly string[]>(...names: T): AttributeKind<T[number]> =>
    kind(`one of ${names.join(", ")}`, (v): v is T[number] => typeof v === "string" && names.includes(v)),
} as const;
