// Nodes that compute nothing: their result is their operand, or a stretch of it, in the same order.

import { addDims, type Dim, equalDims, multiplyDims, productOf, subtractDims } from "../../ir/dim.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { operation } from "../../ir/ops/index.ts";

/** The operand that the node's only result looks into, and from which element on; undefined where the node computes. */
export function viewOf(node: Node): { readonly operand: Value; readonly offset: Dim } | undefined {
  const [operand] = node.inputs;
  if (!operand || operand.kind === "literal") return undefined;
  if (operation(node.op)?.lower.kind === "view") return { operand, offset: 0 };
  if (node.op !== "slice") return undefined;
  const { start, limit, stride } = node.attributes;
  if (!Array.isArray(start) || !Array.isArray(limit) || !Array.isArray(stride)) return undefined;
  const { shape } = operand.type;
  if (stride.some((step) => step !== 1) || shape.length === 0) return undefined;
  // One place of each of the first axes, a stretch of the next one, and all of the others lie together.
  const single = shape.map((_, axis) => equalDims(subtractDims(limit[axis], start[axis]), 1));
  const stretched = single.indexOf(false);
  const whole = (axis: number): boolean => equalDims(start[axis], 0) && equalDims(limit[axis], shape[axis]!);
  if (stretched >= 0 && !shape.every((_, axis) => axis <= stretched || whole(axis))) return undefined;
  const offset = shape.reduce<Dim>(
    (sum, _, axis) => addDims(sum, multiplyDims(start[axis], productOf(shape.slice(axis + 1)))),
    0,
  );
  return { operand, offset };
}
