// Whether a kernel may write a result over one of its operands. The memory plan asks; the lowering keeps the promise by
// computing all results of a point before it stores any.

import type { Node, Value } from "../../ir/graph.ts";
import { roleOf } from "./fuse-roles.ts";
import { iterationOf } from "./iteration.ts";

/**
 * True where the kernel of `node` reads each element of the operand only at the index that it is about to write in the result, and
 * not after that.
 */
export function canWriteInPlace(node: Node, operandIndex: number, resultIndex: number): boolean {
  const operand: Value | undefined = node.body ? node.body.inputs[operandIndex] : node.inputs[operandIndex];
  if (!operand || operand.kind === "literal") return false;
  const nodes = node.body?.nodes ?? [node];
  const outputs = node.body ? node.body.outputs.map((output) => output.value) : node.results;
  if (nodes.some((inner) => roleOf(inner) === "opaque")) return false;
  const iteration = iterationOf(
    nodes,
    outputs.flatMap((value) => (value.kind === "result" ? [value] : [])),
  );
  const result = outputs[resultIndex];
  if (!iteration || !result) return false;
  const read = iteration.access.get(operand);
  const written = iteration.access.get(result);
  if (read === undefined || written === undefined || typeof read === "string" || typeof written === "string")
    return false;
  // Axes of size 1 hold no place, but an operand that lacks an axis is read once for each point along it.
  return read.filter((axis) => axis >= 0).join() === written.filter((axis) => axis >= 0).join();
}
