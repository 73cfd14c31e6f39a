// Nodes that differ in the values they take, and in nothing that a kernel has to do with: equal layers of a network, and the same layer in
// several graphs. Such nodes are lowered once, and share the code that is made of their kernel.

import type { Node, Value } from "../../ir/graph.ts";
import type { Kernel } from "../../ir/kernel/types.ts";
import { createNames, formatType, printNode } from "../../ir/print.ts";
import { bufferName, describe, kernelName } from "./names.ts";

/** What a node became. */
interface Lowered {
  /** The buffers of its kernel before that was split: of what the node reads, then of its results. */
  readonly buffers: readonly string[];
  /** In the order in which they run. */
  readonly kernels: readonly Kernel[];
  /** What runs ahead of them: each writes the last of its buffers, which they read under the same name. */
  readonly ahead: readonly Kernel[];
}

/** What nodes became that were lowered before. */
export type Known = Map<string, Lowered>;

/** The key of a result or the name of an input or global: what has the same one is the same value. */
export const identityOf = (value: Exclude<Value, { kind: "literal" }>): string | Value =>
  value.kind === "result" ? value : `${value.kind} ${value.name}`;

/** What a node reads, each value once; the buffers of its kernel come in this order, with results behind. */
export function operandsOf(node: Node): readonly Value[] {
  const operands = new Map<string | Value, Value>();
  for (const operand of node.inputs) {
    if (operand.kind === "literal" || operands.has(identityOf(operand))) continue;
    operands.set(identityOf(operand), operand);
  }
  return [...operands.values()];
}

/** A text that is equal for nodes whose kernels are, but for their names and where they come from. */
function keyOf(node: Node, isSettled: (operand: Value) => boolean): string {
  const positions = new Map<string | Value, number>();
  const operands = node.inputs.map((value) => {
    if (value.kind === "literal") return `${value.value} ${formatType(value.type)}`;
    const position = positions.get(identityOf(value)) ?? positions.size;
    positions.set(identityOf(value), position);
    const name = node.body ? "" : bufferName(value);
    return `${position} ${formatType(value.type)} ${name}${isSettled(value) ? " settled" : ""}`;
  });
  return `${operands.join(", ")}: ${printNode({ ...node, inputs: [] }, createNames(), { locations: false })}`;
}

/**
 * What a node like this one became before, under this one's name, or what `lower` makes of it. `isSettled` says which operands are the
 * same from run to run.
 */
export function likeBefore(
  node: Node,
  known: Known,
  fresh: (stem: string) => string,
  isSettled: (operand: Value) => boolean,
  lower: () => Lowered,
): Lowered {
  const key = keyOf(node, isSettled);
  const alike = known.get(key);
  if (!alike) {
    const lowered = lower();
    known.set(key, lowered);
    return lowered;
  }
  const { buffers, kernels, ahead } = alike;
  const place = { doc: describe(node), location: node.location };
  return {
    buffers,
    kernels: kernels.map((kernel) => ({ ...kernel, ...place, name: fresh(kernelName(node)) })),
    ahead: ahead.map((kernel) => ({
      ...kernel,
      location: node.location,
      name: fresh(`${kernelName(node)}_${kernel.buffers.at(-1)!.name}`),
    })),
  };
}
