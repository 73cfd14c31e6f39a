// Rules for reductions and contractions: axes that need no loop, transposed operands, sums of what was only repeated.

import { type Dim, productOf } from "../../../ir/dim.ts";
import { isFloat } from "../../../ir/dtype.ts";
import type { Emit } from "../../../ir/emit.ts";
import type { Node, Value } from "../../../ir/graph.ts";
import { type Rule, rule } from "../../rewrite.ts";
import { allEqual, intsOf, isAscending, only, producer, range, shapeOf, sidesOf, spread } from "./match.ts";

const kindOf = (node: Node): string => String(node.attributes.kind);

/** Axes of an operand of rank `rank` that are not among `taken`. */
const otherAxes = (rank: number, taken: readonly number[]): number[] =>
  range(rank).filter((axis) => !taken.includes(axis));

/** The dimension as a number of an element type, at run time where it is free. */
const sizeAs = (emit: Emit, dim: Dim, like: Value): Value | number =>
  typeof dim === "number" ? dim : emit.convert(emit.value("size_of", [], { dim: [dim] }), like.type.dtype);

export const contractionRules: readonly Rule[] = [
  rule(
    "reduce-units",
    { before: "reduce(%x: f32[2, 1, 3]) {kind: sum, axes: [1]}", after: "reshape(%x) {shape: [2, 3]}" },
    (node) => {
      const x = only(node);
      const sizes = intsOf(node, "axes").map((axis) => x.type.shape[axis]!);
      return allEqual(sizes, 1) ? { x } : undefined;
    },
    ({ x }, emit, node) => emit.reshape(x, shapeOf(node)),
  ),
  rule(
    "reduce-twice",
    {
      before: "reduce(reduce(%x: f32[2, 3, 4]) {kind: max, axes: [1]}) {kind: max, axes: [1]}",
      after: "reduce(%x) {kind: max, axes: [1, 2]}",
    },
    (node) => {
      const inner = producer(only(node), "reduce");
      return inner && kindOf(inner) === kindOf(node) ? inner : undefined;
    },
    (inner, emit, node) => {
      const first = intsOf(inner, "axes");
      const left = otherAxes(only(inner).type.shape.length, first);
      const axes = [...first, ...intsOf(node, "axes").map((axis) => left[axis]!)].sort((a, b) => a - b);
      return emit.value("reduce", [only(inner)], { ...node.attributes, axes });
    },
  ),
  rule(
    "reduce-of-transpose",
    {
      before: "reduce(transpose(%x) {permutation: [1, 0]}) {kind: sum, axes: [0]}",
      after: "reduce(%x) {kind: sum, axes: [1]}",
    },
    (node) => {
      const inner = producer(only(node), "transpose");
      if (!inner) return undefined;
      const permutation = intsOf(inner, "permutation");
      const axes = intsOf(node, "axes").map((axis) => permutation[axis]!);
      const left = permutation.filter((axis) => !axes.includes(axis));
      return isAscending(left) ? { x: only(inner), axes: axes.sort((a, b) => a - b) } : undefined;
    },
    ({ x, axes }, emit, node) => emit.value("reduce", [x], { ...node.attributes, axes }),
  ),
  rule(
    "sum-of-broadcast",
    {
      before: "reduce(broadcast(%x: f32[3]) {shape: [N, 3], axes: [1]}) {kind: sum, axes: [0]}",
      after: "multiply(%x, convert(size_of() {dim: [N]}) {dtype: f32})",
    },
    (node) => {
      const inner = producer(only(node), "broadcast");
      if (!inner || kindOf(node) !== "sum" || !isFloat(node.results[0]!.type.dtype)) return undefined;
      const [axes, kept] = [intsOf(node, "axes"), intsOf(inner, "axes")];
      return axes.some((axis) => kept.includes(axis)) ? undefined : { inner, axes, kept };
    },
    ({ inner, axes, kept }, emit, node) => {
      const x = only(inner);
      const left = otherAxes(shapeOf(inner).length, axes);
      const count = sizeAs(emit, productOf(axes.map((axis) => shapeOf(inner)[axis]!)), x);
      // The product is taken before what is left of the broadcast, on fewer elements.
      const product = emit.multiply(x, count);
      return spread(
        emit,
        product,
        shapeOf(node),
        kept.map((axis) => left.indexOf(axis)),
      );
    },
  ),
  rule(
    "extreme-of-broadcast",
    {
      before: "reduce(broadcast(%x: f32[3]) {shape: [2, 3], axes: [1]}) {kind: max, axes: [0]}",
      after: "%x",
    },
    (node) => {
      const inner = producer(only(node), "broadcast");
      if (!inner || (kindOf(node) !== "max" && kindOf(node) !== "min")) return undefined;
      const [axes, kept] = [intsOf(node, "axes"), intsOf(inner, "axes")];
      // The extreme of nothing is an infinity.
      const sizes = axes.map((axis) => shapeOf(inner)[axis]!);
      const some = sizes.every((size) => typeof size === "number" && size > 0);
      return some && !axes.some((axis) => kept.includes(axis)) ? { inner, axes, kept } : undefined;
    },
    ({ inner, axes, kept }, emit, node) => {
      const left = otherAxes(shapeOf(inner).length, axes);
      return spread(
        emit,
        only(inner),
        shapeOf(node),
        kept.map((axis) => left.indexOf(axis)),
      );
    },
  ),
  rule(
    "dot-of-transpose",
    {
      before: "dot(transpose(%x) {permutation: [1, 0]}, %y) {batch: [[], []], contract: [[1], [0]]}",
      after: "dot(%x, %y) {batch: [[], []], contract: [[0], [0]]}",
    },
    (node) => {
      for (const side of [0, 1] as const) {
        const inner = producer(node.inputs[side], "transpose");
        if (!inner) continue;
        const permutation = intsOf(inner, "permutation");
        const taken = [...sidesOf(node, "batch")[side], ...sidesOf(node, "contract")[side]];
        const free = otherAxes(permutation.length, taken).map((axis) => permutation[axis]!);
        if (isAscending(free)) return { side, x: only(inner), permutation };
      }
      return undefined;
    },
    ({ side, x, permutation }, emit, node) => {
      const renamed = (key: string): (readonly number[])[] =>
        sidesOf(node, key).map((axes, i) => (i === side ? axes.map((axis) => permutation[axis]!) : axes));
      const operands = node.inputs.map((value, i) => (i === side ? x : value));
      return emit.value("dot", operands, { batch: renamed("batch"), contract: renamed("contract") });
    },
  ),
  rule(
    "transpose-of-dot",
    {
      before: "transpose(dot(%x, %y: f32[3, 4]) {batch: [[], []], contract: [[1], [0]]}) {permutation: [1, 0]}",
      after: "dot(%y, %x) {batch: [[], []], contract: [[0], [1]]}",
    },
    (node) => {
      const inner = producer(only(node), "dot");
      if (!inner) return undefined;
      const batch = sidesOf(inner, "batch")[0].length;
      const left = inner.inputs[0]!.type.shape.length - sidesOf(inner, "contract")[0].length;
      const rank = shapeOf(inner).length;
      const swapped = [...range(batch), ...range(rank).slice(left), ...range(left).slice(batch)];
      return String(swapped) === String(intsOf(node, "permutation")) ? inner : undefined;
    },
    (inner, emit) => {
      const swap = (key: string): (readonly number[])[] => [...sidesOf(inner, key)].reverse();
      return emit.value("dot", [...inner.inputs].reverse(), { batch: swap("batch"), contract: swap("contract") });
    },
  ),
];
