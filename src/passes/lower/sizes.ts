// Free sizes that shapes and attributes mention: kernels take them as variables.

import { type Dim, symbolsOf } from "../../ir/dim.ts";

/** Names of the free sizes in a dimension, an attribute, or lists of them. */
export function sizesIn(attribute: unknown): string[] {
  if (Array.isArray(attribute)) return attribute.flatMap(sizesIn);
  return isDim(attribute) ? symbolsOf(attribute) : [];
}

const isDim = (value: unknown): value is Exclude<Dim, number> =>
  typeof value === "object" && value !== null && "terms" in value;
