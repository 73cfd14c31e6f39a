// What a node may be in a fusion. `iteration.ts` judges groups of nodes by these roles, `fuse.ts` forms the groups.

import { equalDims } from "../../ir/dim.ts";
import type { Node } from "../../ir/graph.ts";
import { operation } from "../../ir/ops/index.ts";

/**
 * element: each element of the result from elements of the operands. movement: the same, but so cheap that every consumer repeats
 * it. reduce: runs over axes of its operand. contraction: a sum of products. window: any other loop with accumulators.
 * opaque: never part of a fusion.
 */
export type Role = "element" | "movement" | "reduce" | "contraction" | "window" | "opaque";

const movement: ReadonlySet<string> = new Set(["broadcast", "transpose", "slice", "reverse", "iota", "size_of"]);

/** Operations of a cycle or so: repeating them costs less than a load from memory. */
const cheap: ReadonlySet<string> = new Set([
  "add",
  "subtract",
  "multiply",
  "negate",
  "compare",
  "select",
  "convert",
  "maximum",
  "minimum",
  "and",
  "or",
  "xor",
  "not",
  "abs",
  "stop_gradient",
]);

/** Operations that are polynomials and the like on most targets: twenty instructions or more. */
const functions: ReadonlySet<string> = new Set([
  "exponential",
  "exponential_minus_one",
  "log",
  "log_plus_one",
  "logistic",
  "tanh",
  "erf",
  "power",
  "sine",
  "cosine",
  "tan",
  "asin",
  "acos",
  "atan",
  "atan2",
  "sinh",
  "cosh",
  "asinh",
  "acosh",
  "atanh",
]);

export const isFunction = (node: Node): boolean => functions.has(node.op);

export const isCheap = (node: Node): boolean => cheap.has(node.op) || roleOf(node) === "movement";

export function roleOf(node: Node): Role {
  const definition = operation(node.op);
  if (!definition || node.body) return "opaque";
  switch (definition.lower.kind) {
    case "element":
      return movement.has(node.op) ? "movement" : "element";
    case "view":
      return isUnitReshape(node) ? "movement" : "opaque";
    case "reduction":
      if (reducedAxes(node)) return "reduce";
      return definition.lower.contraction ? "contraction" : "window";
    case "statements":
    case "removed":
      return "opaque";
  }
}

/** Whether operands of the shape of the result are read at the very index that is computed. */
export const isElementwise = (node: Node): boolean => operation(node.op)?.elementwise === true;

/** The axes of its operand that a node of role `reduce` runs over. */
export function reducedAxes(node: Node): readonly number[] | undefined {
  const { axes, axis } = node.attributes;
  if (node.op === "argmax" && typeof axis === "number") return [axis];
  if (node.op === "reduce") return numbers(axes);
  return undefined;
}

/** An attribute that is a list of integers. */
export const numbers = (attribute: unknown): number[] =>
  Array.isArray(attribute) ? attribute.filter((item) => typeof item === "number") : [];

/** A reshape that only adds or drops axes of size 1. */
function isUnitReshape(node: Node): boolean {
  const from = node.inputs[0]?.type.shape.filter((dim) => dim !== 1);
  const to = node.results[0]?.type.shape.filter((dim) => dim !== 1);
  return from !== undefined && to?.length === from.length && to.every((dim, i) => equalDims(dim, from[i]!));
}
