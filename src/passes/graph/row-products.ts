// Sums of rows of products, turned around: Σₛ wₜₛ (xₜ · vₛ) = xₜ · Σₛ wₜₛ vₛ, where the sum on the right is there already. The gradient
// of a softmax needs the sum on the left, for which a matrix would be held; the right one takes two vectors.

import type { Emit } from "../../ir/emit.ts";
import type { Node, ResultValue, Value } from "../../ir/graph.ts";
import type { Mixture } from "./attention.ts";
import { numbers } from "./fuse-roles.ts";
import { isRange, isSame } from "./rules/match.ts";

/** A sum over the rows of the matrix of a mixture times a product with the same values, and factors that are the same in a row. */
export interface RowProduct {
  /** x: its axes are those of the matrix, by number, but for the summed one, and the features. */
  readonly vectors: Value;
  readonly axes: readonly Letter[];
  readonly factors: readonly Factor[];
}

/** An axis of the matrix, or the features of the values. */
type Letter = number | "feature";

interface Factor {
  readonly value: Value;
  readonly divides: boolean;
}

/** `reduce` as the sum of a row that the mixture makes unnecessary, if it is one. */
export function rowProductOf(reduce: Node, mixture: Mixture): RowProduct | undefined {
  const { kind, axes } = reduce.attributes;
  if (kind !== "sum" || numbers(axes).join() !== String(mixture.summed)) return undefined;
  const matrices: ResultValue[] = [];
  const factors: Factor[] = [];
  const collect = (value: Value): boolean => {
    const row = sameInRow(value, mixture.summed);
    if (row) return factors.push({ value: row, divides: false }) > 0;
    if (value.kind !== "result") return false;
    const { node } = value;
    const [x, y] = node.inputs;
    if (value === mixture.matrix || node.op === "dot") return matrices.push(value) > 0;
    if (node.op === "multiply") return collect(x!) && collect(y!);
    const below = node.op === "divide" ? sameInRow(y!, mixture.summed) : undefined;
    if (!below) return false;
    factors.push({ value: below, divides: true });
    return collect(x!);
  };
  if (!collect(reduce.inputs[0]!) || matrices.length !== 2) return undefined;
  const product = matrices.find((value) => value !== mixture.matrix);
  if (!product || !matrices.includes(mixture.matrix)) return undefined;
  for (const side of [0, 1] as const) {
    const found = vectorsOf(product.node, side, mixture);
    if (found) return { ...found, factors };
  }
  return undefined;
}

/** The value of a row, where `value` spreads one along it: a literal, or a broadcast that keeps all other axes in place. */
function sameInRow(value: Value, summed: number): Value | undefined {
  if (value.kind === "literal") return value;
  if (value.kind !== "result" || value.node.op !== "broadcast") return undefined;
  const [row] = value.node.inputs;
  if (row!.type.shape.length === 0) return row;
  const others = value.type.shape.flatMap((_, axis) => (axis === summed ? [] : [axis]));
  const whole = others.every((axis, i) => row!.type.shape[i] === value.type.shape[axis]);
  return whole && numbers(value.node.attributes.axes).join() === others.join() ? row : undefined;
}

/** What the values are multiplied with in a product of the shape of the matrix, as operand `side` of it. */
function vectorsOf(product: Node, side: 0 | 1, mixture: Mixture): Pick<RowProduct, "vectors" | "axes"> | undefined {
  const { node, axes, summed } = mixture;
  const [values, other] = [mixture.side === 0 ? 1 : 0, side === 0 ? 1 : 0] as const;
  if (!isSame(product.inputs[other]!, node.inputs[values]!)) return undefined;
  const ofProduct = lettersOf(
    product,
    mixture.matrix.type.shape.map((_, axis) => axis),
    "feature",
  );
  const ofMixture = lettersOf(
    node,
    node.results[0]!.type.shape.map((_, axis) => axisOf(axes, axis)),
    summed,
  );
  // The product must see the values as the mixture does.
  if (!ofProduct || !ofMixture || ofProduct[other].join() !== ofMixture[values].join()) return undefined;
  return { vectors: product.inputs[side]!, axes: ofProduct[side] };
}

const axisOf = (axes: readonly number[], axis: number): Letter => {
  const found = axes.indexOf(axis);
  return found < 0 ? "feature" : found;
};

/** The axes of both operands of a product, from those of its result and the one that it sums over, if that is one. */
function lettersOf(
  { inputs, attributes }: Node,
  result: readonly Letter[],
  summed: Letter,
): readonly [readonly Letter[], readonly Letter[]] | undefined {
  const pairs = (attribute: unknown): number[][] => (Array.isArray(attribute) ? attribute.map(numbers) : []);
  const [batch, contract] = [pairs(attributes.batch), pairs(attributes.contract)];
  if (contract[0]?.length !== 1) return undefined;
  let next = batch[0]!.length;
  const of = (side: 0 | 1): Letter[] =>
    inputs[side]!.type.shape.map((_, axis): Letter => {
      if (contract[side]!.includes(axis)) return summed;
      const shared = batch[side]!.indexOf(axis);
      return result[shared >= 0 ? shared : next++]!;
    });
  return [of(0), of(1)];
}

/** The same sum of vectors. Axis i of the result of the mixture lies at `places[i]` of `mixed`, which may be transposed. */
export function emitRowProduct(
  { vectors, axes, factors }: RowProduct,
  mixture: Mixture,
  mixed: Value,
  places: readonly number[],
  emit: Emit,
): Value {
  const rows = mixture.axes.flatMap((_, axis) => (axis === mixture.summed ? [] : [axis]));
  const inOrder = (value: Value, from: readonly number[]): Value =>
    isRange(from) ? value : emit.transpose(value, from);
  const left = inOrder(vectors, [...rows.map((axis) => axes.indexOf(axis)), axes.indexOf("feature")]);
  const right = inOrder(mixed, [...rows.map((axis) => places[mixture.axes[axis]!]!), places[mixture.feature]!]);
  const sum = emit.reduce("sum", emit.multiply(left, right), [rows.length]);
  return factors.reduce(
    (product, { value, divides }) => (divides ? emit.divide(product, value) : emit.multiply(product, value)),
    sum,
  );
}
