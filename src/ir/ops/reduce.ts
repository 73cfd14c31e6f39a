// Reductions over whole axes.

import { attribute } from "../attributes.ts";
import { type Dim, multiplyDims, productOf } from "../dim.ts";
import { type DType, isFloat } from "../dtype.ts";
import type { Emit } from "../emit.ts";
import type { TensorType, Value } from "../graph.ts";
import { k } from "../kernel/build.ts";
import type { Expr } from "../kernel/types.ts";
import { defineOp } from "../op.ts";
import { eachIndex, linearOf, makeTensor, rangeOf, wrap } from "../reference.ts";
import { requireAxes, requireAxis, requireKind } from "./checks.ts";
import { integers, normal, spaced, values } from "./samples.ts";

/** What a reduction starts from, which changes nothing. */
export function identityOf(kind: ReductionKind, dtype: DType): number {
  switch (kind) {
    case "sum":
      return 0;
    case "product":
      return 1;
    case "max":
      return rangeOf(dtype)[0];
    case "min":
      return rangeOf(dtype)[1];
  }
}

export type ReductionKind = "sum" | "product" | "max" | "min";

export const combine: Readonly<Record<ReductionKind, (a: number, b: number, dtype: DType) => number>> = {
  sum: (a, b) => a + b,
  product: (a, b, dtype) => (isFloat(dtype) ? a * b : Math.imul(a, b)),
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
};

export const combineExpr: Readonly<Record<ReductionKind, (a: Expr, b: Expr) => Expr>> = {
  sum: k.add,
  product: k.multiply,
  max: k.maximum,
  min: k.minimum,
};

const without = <T>(list: readonly T[], axes: readonly number[]): T[] => list.filter((_, axis) => !axes.includes(axis));
const keptAxes = (type: TensorType, axes: readonly number[]): number[] =>
  without(
    type.shape.map((_, axis) => axis),
    axes,
  );

/** The index into an operand of which `axes` were reduced, from the index of the result and the point of the domain. */
function joinIndex(rank: number, axes: readonly number[], index: readonly Expr[], point: readonly Expr[]): Expr[] {
  let next = 0;
  return Array.from({ length: rank }, (_, axis) => {
    const reduced = axes.indexOf(axis);
    return reduced >= 0 ? point[reduced]! : index[next++]!;
  });
}

/**
 * The gradient of a product: d · (the product of the others), for each element. The others are multiplied outright, in time
 * quadratic in the number of factors, because dividing by the element itself would fail at zeros, and again in second
 * derivatives.
 */
function productGradient(e: Emit, x: Value, axes: readonly number[], d: Value): Value {
  const { dtype, shape } = x.type;
  const kept = keptAxes(x.type, axes);
  const permutation = [...kept, ...axes];
  const front = kept.map((axis) => shape[axis]!);
  const back = axes.map((axis) => shape[axis]!);
  const count = productOf(back);
  const rank = front.length;
  const frontAxes = front.map((_, i) => i);
  const rows = e.reshape(e.transpose(x, permutation), [...front, count]);
  const square = [...front, count, count];
  const repeated = e.broadcast(rows, square, [...frontAxes, rank + 1]);
  const [i, j] = [rank, rank + 1].map((axis) => e.value("iota", [], { shape: square, axis, dtype: "i32" }));
  const others = e.reduce("product", e.select(e.compare("eq", i!, j!), 1, repeated), [rank + 1]);
  const spread = e.broadcast(d, [...front, count], frontAxes);
  const flat = e.reshape(e.multiply(spread, others), [...front, ...back]);
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  return e.convert(e.transpose(flat, inverse), dtype);
}

const reduce = defineOp({
  name: "reduce",
  doc:
    "The sum, product, maximum or minimum over `axes`, which vanish. Over no elements these are 0, 1 and the least or greatest " +
    "value of the type. Among equal maxima (minima) the gradient is shared evenly.",
  inputs: ["x"],
  attributes: { kind: attribute.oneOf("sum", "product", "max", "min"), axes: attribute.ints },
  infer: ([x], { axes }) => {
    requireKind("reduce", x!, "number", 0);
    requireAxes("reduce", x!, axes);
    return [{ dtype: x!.dtype, shape: without(x!.shape, axes) }];
  },
  evaluate: ([x], { kind, axes }, [type]) => {
    const { dtype, shape } = type!;
    const result = makeTensor(dtype, shape, () => identityOf(kind, dtype));
    eachIndex(x!.shape, (index, linear) => {
      const at = linearOf(shape, without(index, axes));
      result.data[at] = wrap(dtype, combine[kind](result.data[at]!, x!.data[linear]!, dtype));
    });
    return [result];
  },
  differentiate: ({ inputs: [x], results: [y], cotangents: [d], attributes: { kind, axes }, emit: e }) => {
    if (!d || !isFloat(x!.type.dtype)) return [undefined];
    const kept = keptAxes(x!.type, axes);
    const spread = (value: Value): Value => e.broadcast(value, x!.type.shape, kept);
    switch (kind) {
      case "sum":
        return [spread(d)];
      case "product":
        return [productGradient(e, x!, axes, d)];
      case "max":
      case "min": {
        const taken = e.convert(e.compare("eq", x!, spread(y!)), x!.type.dtype);
        const share = e.divide(d, e.reduce("sum", taken, axes));
        return [e.multiply(taken, spread(share))];
      }
    }
  },
  smooth: false,
  lower: {
    kind: "reduction",
    domain: ({ attributes, inputTypes }) => attributes.axes.map((axis) => inputTypes[0]!.shape[axis]!),
    accumulators: ({ attributes, resultTypes }) => {
      const { dtype } = resultTypes[0]!;
      return [k.constant(identityOf(attributes.kind, dtype), dtype)];
    },
    step: (context, index, point, [accumulator]) => {
      const { attributes, inputTypes } = context;
      const at = joinIndex(inputTypes[0]!.shape.length, attributes.axes, index, point);
      return [combineExpr[attributes.kind](accumulator!, context.input(0, at))];
    },
  },
  flops: ([x]): Dim => productOf(x!.shape),
  samples: [
    { inputs: [normal(3, 5)], attributes: { kind: "sum", axes: [1] } },
    { inputs: [normal(3, 5)], attributes: { kind: "sum", axes: [0] } },
    { inputs: [normal(2, 3, 4)], attributes: { kind: "sum", axes: [0, 2] } },
    { inputs: [normal(2, 3)], attributes: { kind: "sum", axes: [0, 1] } },
    { inputs: [normal(3, 0)], attributes: { kind: "sum", axes: [1] } },
    { inputs: [spaced(3, 7)], attributes: { kind: "max", axes: [1] } },
    { inputs: [spaced(2, 3, 4)], attributes: { kind: "max", axes: [0, 1] } },
    { inputs: [spaced(5)], attributes: { kind: "min", axes: [0] } },
    { inputs: [normal(3, 4)], attributes: { kind: "product", axes: [1] } },
    { inputs: [normal(2, 3, 2)], attributes: { kind: "product", axes: [0, 2] } },
    { inputs: [values([2, 0, 3, 0, 0, 5, 0, 1, 7], [3, 3])], attributes: { kind: "product", axes: [1] } },
    { inputs: [integers(-9, 9, [3, 5])], attributes: { kind: "sum", axes: [0] } },
    { inputs: [integers(0, 255, [3, 5], "u8")], attributes: { kind: "max", axes: [1] } },
    { inputs: [integers(-9, 9, [4])], attributes: { kind: "product", axes: [0] } },
    { inputs: [integers(-9, 9, [4])], attributes: { kind: "min", axes: [0] } },
  ],
});

const argmax = defineOp({
  name: "argmax",
  doc:
    "The position along `axis` of the greatest (kind max) or least element, the first of equal ones; `axis` vanishes. " +
    "NaN is passed over. 0 where no element exceeds the least (the greatest) value of the type.",
  inputs: ["x"],
  attributes: { axis: attribute.int, kind: attribute.oneOf("max", "min") },
  infer: ([x], { axis }) => {
    requireKind("argmax", x!, "number", 0);
    requireAxis("argmax", x!, axis);
    return [{ dtype: "i32", shape: without(x!.shape, [axis]) }];
  },
  evaluate: ([x], { axis, kind }, [type]) => {
    const best = makeTensor(x!.dtype, type!.shape, () => identityOf(kind, x!.dtype));
    const result = makeTensor("i32", type!.shape, () => 0);
    eachIndex(x!.shape, (index, linear) => {
      const at = linearOf(type!.shape, without(index, [axis]));
      const value = x!.data[linear]!;
      const better = kind === "max" ? value > best.data[at]! : value < best.data[at]!;
      if (!better) return;
      best.data[at] = value;
      result.data[at] = index[axis]!;
    });
    return [result];
  },
  lower: {
    kind: "reduction",
    domain: ({ attributes, inputTypes }) => [inputTypes[0]!.shape[attributes.axis]!],
    accumulators: ({ attributes, inputTypes }) => {
      const { dtype } = inputTypes[0]!;
      return [k.constant(0, "i32"), k.constant(identityOf(attributes.kind, dtype), dtype)];
    },
    step: (context, index, point, [position, best]) => {
      const { attributes, inputTypes } = context;
      const value = context.input(0, joinIndex(inputTypes[0]!.shape.length, [attributes.axis], index, point));
      const better = attributes.kind === "max" ? k.gt(value, best!) : k.lt(value, best!);
      return [k.select(better, k.convert(point[0]!, "i32"), position!), k.select(better, value, best!)];
    },
  },
  flops: ([x]): Dim => multiplyDims(1, productOf(x!.shape)),
  samples: [
    { inputs: [spaced(3, 5)], attributes: { axis: 1, kind: "max" } },
    { inputs: [spaced(3, 5)], attributes: { axis: 0, kind: "min" } },
    { inputs: [spaced(2, 3, 4)], attributes: { axis: 1, kind: "max" } },
    { inputs: [integers(0, 2, [4, 9])], attributes: { axis: 1, kind: "max" } },
    { inputs: [values([1, Number.NaN, 3, 3], [4])], attributes: { axis: 0, kind: "max" } },
    { inputs: [spaced(7)], attributes: { axis: 0, kind: "max" } },
  ],
});

export const reduceOperations = [reduce, argmax];
