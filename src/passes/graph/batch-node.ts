// The work of all steps at once: a node of a scan's body over stacks of its operands, which have the steps as their first axis. By
// this, work moves out of loops; an operation that is not here stays where it is.

import { attribute } from "../../ir/attributes.ts";
import type { Dim } from "../../ir/dim.ts";
import type { Emit } from "../../ir/emit.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { isElementwise } from "./fuse-roles.ts";
import { dimsOf, intOf, intsOf, range, sidesOf } from "./rules/match.ts";

/** A value of the body outside of it: a stack over all steps, or the same for each. */
export interface Batched {
  readonly value: Value;
  readonly stacked: boolean;
}

type Rule = (node: Node, operands: readonly Batched[], length: Dim, emit: Emit) => Value;

const behind = (axes: readonly number[]): number[] => axes.map((axis) => axis + 1);

/** As a stack, repeated where it is the same at each step. */
function stackOf({ value, stacked }: Batched, length: Dim, emit: Emit): Value {
  const { shape } = value.type;
  return stacked ? value : emit.broadcast(value, [length, ...shape], behind(range(shape.length)));
}

const elementwise: Rule = (node, operands, length, emit) => {
  const { shape } = node.results[0]!.type;
  const whole = [length, ...shape];
  const values = operands.map(({ value, stacked }) => {
    const rank = value.type.shape.length - (stacked ? 1 : 0);
    if (rank === 0 && !stacked) return value;
    if (stacked && rank === shape.length) return value;
    return emit.broadcast(value, whole, stacked ? [0] : behind(range(rank)));
  });
  return emit.value(node.op, values, node.attributes);
};

const dot: Rule = (node, [lhs, rhs], _length, emit) => {
  const [batch, contract] = [sidesOf(node, "batch"), sidesOf(node, "contract")];
  const sides = [lhs!, rhs!] as const;
  const moved = (lists: readonly (readonly number[])[]) =>
    lists.map((axes, side) => (sides[side]!.stacked ? behind(axes) : axes));
  const values = sides.map(({ value }) => value);
  if (lhs!.stacked && rhs!.stacked) {
    const batches = moved(batch).map((axes) => [0, ...axes]);
    return emit.value("dot", values, { batch: batches, contract: moved(contract) });
  }
  const product = emit.value("dot", values, { batch: moved(batch), contract: moved(contract) });
  // The steps are a free axis of one side: they come after the batches, on the right after the axes of the left side too.
  const before = lhs!.stacked ? batch[0].length : lhs!.value.type.shape.length - contract[0].length;
  if (before === 0) return product;
  const others = range(product.type.shape.length).filter((axis) => axis !== before);
  return emit.transpose(product, [before, ...others]);
};

const rules: Readonly<Record<string, Rule>> = {
  dot,
  reduce: (node, [x], _, emit) =>
    emit.value("reduce", [x!.value], { ...node.attributes, axes: behind(intsOf(node, "axes")) }),
  reshape: (node, [x], length, emit) => emit.reshape(x!.value, [length, ...node.results[0]!.type.shape]),
  transpose: (node, [x], _, emit) => emit.transpose(x!.value, [0, ...behind(intsOf(node, "permutation"))]),
  broadcast: (node, [x], length, emit) =>
    emit.broadcast(x!.value, [length, ...dimsOf(node, "shape")], [0, ...behind(intsOf(node, "axes"))]),
  slice: (node, [x], length, emit) =>
    emit.value("slice", [x!.value], {
      start: [0, ...dimsOf(node, "start")],
      limit: [length, ...dimsOf(node, "limit")],
      stride: [1, ...intsOf(node, "stride")],
    }),
  pad: (node, [x], _, emit) =>
    emit.value("pad", [x!.value], {
      ...node.attributes,
      low: [0, ...dimsOf(node, "low")],
      high: [0, ...dimsOf(node, "high")],
      interior: [0, ...intsOf(node, "interior")],
    }),
  concatenate: (node, operands, length, emit) =>
    emit.value(
      "concatenate",
      operands.map((operand) => stackOf(operand, length, emit)),
      { ...node.attributes, axis: intOf(node, "axis") + 1 },
    ),
  reverse: (node, [x], _, emit) => emit.value("reverse", [x!.value], { axes: behind(intsOf(node, "axes")) }),
};

const ruleOf = (node: Node): Rule | undefined => (isElementwise(node) ? elementwise : rules[node.op]);

export const canBatch = (node: Node): boolean => node.results.length === 1 && !node.body && ruleOf(node) !== undefined;

/** The node over operands outside of the body. One that is over nothing stacked is computed once. */
export function batchNode(node: Node, operands: readonly Batched[], length: Dim, emit: Emit): readonly Batched[] {
  if (!operands.some(({ stacked }) => stacked)) {
    const values = operands.map(({ value }) => value);
    return emit.node(node.op, values, node.attributes, node.body).map((value) => ({ value, stacked: false }));
  }
  const rule = ruleOf(node);
  if (!rule) throw new TypeError(`${node.op} cannot run over all steps at once`);
  return [{ value: rule(node, operands, length, emit), stacked: true }];
}

export function lengthOf({ op, attributes: { length } }: Pick<Node, "op" | "attributes">): Dim {
  if (length === undefined || !attribute.dim.is(length)) throw new TypeError(`${op} has no length`);
  return length;
}
