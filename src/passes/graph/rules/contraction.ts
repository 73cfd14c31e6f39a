// Rules for reductions and contractions: axes that need no loop, transposed operands, sums of what was only repeated.

import { type Dim, productOf } from "../../../ir/dim.ts";
import { isFloat } from "../../../ir/dtype.ts";
import type { Node } from "../../../ir/graph.ts";
import { type Rule, rule } from "../../rewrite.ts";
import { allEqual, intsOf, isAscending, only, producer, range, shapeOf, sidesOf, splatOf, spread } from "./match.ts";

const kindOf = (node: Node): string => String(node.attributes.kind);

/** Axes of an operand of rank `rank` that are not among `taken`. */
const otherAxes = (rank: number, taken: readonly number[]): number[] =>
  range(rank).filter((axis) => !taken.includes(axis));

/**
 * The number of elements that `axes` of `shape` stand for, where it is known and not 0: the sum of nothing is 0 even of
 * infinities.
 */
function countOf(shape: readonly Dim[], axes: readonly number[]): number | undefined {
  const count = productOf(axes.map((axis) => shape[axis]!));
  return typeof count === "number" && count > 0 ? count : undefined;
}

/**
 * A reduction over axes that a broadcast put in: its operand, how often each element is met, and where its axes lie in
 * the result.
 */
function reducedBroadcast(node: Node, kinds: readonly string[]) {
  const inner = producer(only(node), "broadcast");
  if (!inner || !kinds.includes(kindOf(node))) return undefined;
  const [axes, kept] = [intsOf(node, "axes"), intsOf(inner, "axes")];
  const count = countOf(shapeOf(inner), axes);
  if (count === undefined || axes.some((axis) => kept.includes(axis))) return undefined;
  const left = otherAxes(shapeOf(inner).length, axes);
  return { x: only(inner), count, axes: kept.map((axis) => left.indexOf(axis)) };
}

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
      before: "reduce(broadcast(%x: f32[3]) {shape: [4, 3], axes: [1]}) {kind: sum, axes: [0]}",
      after: "multiply(%x, 4)",
    },
    (node) => {
      const found = reducedBroadcast(node, ["sum"]);
      return found && isFloat(node.results[0]!.type.dtype) ? found : undefined;
    },
    // The product is taken before what is left of the broadcast, on fewer elements.
    ({ x, count, axes }, emit, node) => spread(emit, emit.multiply(x, count), shapeOf(node), axes),
  ),
  rule(
    "sum-of-number",
    {
      before: "reduce(broadcast(3) {shape: [N, 3], axes: []}) {kind: sum, axes: [0]}",
      after: "broadcast(multiply(convert(size_of() {dim: [N]}) {dtype: f32}, 3)) {shape: [3], axes: []}",
    },
    (node) => {
      const number = splatOf(only(node));
      const axes = intsOf(node, "axes");
      // No infinities: where the free size is 0, the sum of nothing is 0.
      return kindOf(node) === "sum" && number !== undefined && Number.isFinite(number) ? { number, axes } : undefined;
    },
    ({ number, axes }, emit, node) => {
      const { dtype, shape } = only(node).type;
      const count = emit.value("size_of", [], { dim: [productOf(axes.map((axis) => shape[axis]!))] });
      return spread(emit, emit.multiply(emit.convert(count, dtype), number), shapeOf(node), []);
    },
  ),
  rule(
    "sum-of-batches",
    {
      before:
        "reduce(dot(%x: f32[5, 2, 3], %y: f32[5, 3, 4]) {batch: [[0], [0]], contract: [[2], [1]]}) {kind: sum, axes: [0]}",
      after: "dot(%x, %y) {batch: [[], []], contract: [[0, 2], [0, 1]]}",
    },
    (node) => {
      const inner = producer(only(node), "dot");
      if (!inner || kindOf(node) !== "sum") return undefined;
      const [batch, axes] = [sidesOf(inner, "batch"), intsOf(node, "axes")];
      return axes.every((axis) => axis < batch[0].length) ? { inner, batch, axes } : undefined;
    },
    ({ inner, batch, axes }, emit) => {
      const contract = sidesOf(inner, "contract");
      return emit.value("dot", inner.inputs, {
        batch: batch.map((side) => side.filter((_, i) => !axes.includes(i))),
        contract: contract.map((side, s) => [...axes.map((axis) => batch[s]![axis]!), ...side]),
      });
    },
  ),
  rule(
    "sum-of-negated",
    { before: "reduce(negate(%x)) {kind: sum, axes: [1]}", after: "negate(reduce(%x) {kind: sum, axes: [1]})" },
    (node) => (kindOf(node) === "sum" ? producer(only(node), "negate") : undefined),
    (inner, emit, node) => emit.negate(emit.reduce("sum", only(inner), intsOf(node, "axes"))),
  ),
  rule(
    "extreme-of-broadcast",
    {
      before: "reduce(broadcast(%x: f32[3]) {shape: [2, 3], axes: [1]}) {kind: max, axes: [0]}",
      after: "%x",
    },
    (node) => reducedBroadcast(node, ["max", "min"]),
    ({ x, axes }, emit, node) => spread(emit, x, shapeOf(node), axes),
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
