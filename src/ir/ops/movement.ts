// Operations that move elements and change none: reshape, transpose, broadcast, reverse.
// Concatenation, slices and padding are in concatenate.ts and slice.ts.

import { attribute } from "../attributes.ts";
import { type Dim, equalDims, equalShapes, formatDim, productOf, subtractDims } from "../dim.ts";
import type { Emit } from "../emit.ts";
import type { TensorType, Value } from "../graph.ts";
import { k } from "../kernel/build.ts";
import type { Expr } from "../kernel/types.ts";
import { defineOp, InferenceError } from "../op.ts";
import { elementAt, makeTensor } from "../reference.ts";
import { formatShape, formatType, requireAxes, requireShape } from "./checks.ts";
import { reshapeIndex } from "./reindex.ts";
import { integers, normal } from "./samples.ts";

const nothing = (): Dim => 0;

const reshape = defineOp({
  name: "reshape",
  doc: "The same elements, in the same row-major order, in another shape. Costs nothing between kernels.",
  inputs: ["x"],
  attributes: { shape: attribute.dims },
  infer: ([x], { shape }) => {
    requireShape("reshape", shape);
    const [from, to] = [productOf(x!.shape), productOf(shape)];
    if (!equalDims(from, to))
      throw new InferenceError(
        `reshape: ${formatType(x!)} has ${formatDim(from)} elements, and the shape ${formatShape(shape)} has ${formatDim(to)}`,
        0,
      );
    return [{ dtype: x!.dtype, shape }];
  },
  evaluate: ([x], _, [type]) => [makeTensor(type!.dtype, type!.shape, (_index, linear) => x!.data[linear]!)],
  differentiate: ({ inputs: [x], cotangents: [d], emit }) => [d && emit.reshape(d, x!.type.shape)],
  lower: {
    kind: "view",
    element: (context, index) =>
      context.input(0, reshapeIndex(context.inputTypes[0]!.shape, context.resultTypes[0]!.shape, index)),
  },
  flops: nothing,
  samples: [
    { inputs: [normal(2, 6)], attributes: { shape: [2, 3, 2] } },
    { inputs: [normal(2, 3, 4)], attributes: { shape: [2, 12] } },
    { inputs: [normal(4, 6)], attributes: { shape: [3, 8] } },
    { inputs: [normal(5)], attributes: { shape: [1, 5, 1] } },
    { inputs: [normal(1, 1)], attributes: { shape: [] } },
    { inputs: [normal(3, 0)], attributes: { shape: [0, 7] } },
    { inputs: [normal(2, 3, 4, 5)], attributes: { shape: [6, 1, 10, 2] } },
    { inputs: [integers(-9, 9, [6])], attributes: { shape: [2, 3] } },
  ],
});

const transpose = defineOp({
  name: "transpose",
  doc: "Axes in another order: axis i of the result is axis `permutation[i]` of x.",
  inputs: ["x"],
  attributes: { permutation: attribute.ints },
  infer: ([x], { permutation }) => {
    requireAxes("transpose", x!, permutation);
    if (permutation.length !== x!.shape.length)
      throw new InferenceError(
        `transpose: [${permutation.join(", ")}] does not name every axis of ${formatType(x!)}`,
        0,
      );
    return [{ dtype: x!.dtype, shape: permutation.map((axis) => x!.shape[axis]!) }];
  },
  evaluate: ([x], { permutation }, [type]) => [
    makeTensor(type!.dtype, type!.shape, (index) =>
      elementAt(
        x!,
        invert(permutation).map((axis) => index[axis]!),
      ),
    ),
  ],
  differentiate: ({ cotangents: [d], attributes, emit }) => [d && emit.transpose(d, invert(attributes.permutation))],
  lower: {
    kind: "element",
    element: (context, index) =>
      context.input(
        0,
        invert(context.attributes.permutation).map((axis) => index[axis]!),
      ),
  },
  flops: nothing,
  samples: [
    { inputs: [normal(3, 5)], attributes: { permutation: [1, 0] } },
    { inputs: [normal(2, 3, 4)], attributes: { permutation: [2, 0, 1] } },
    { inputs: [normal(2, 3, 4, 5)], attributes: { permutation: [0, 3, 1, 2] } },
    { inputs: [normal(0, 3)], attributes: { permutation: [1, 0] } },
    { inputs: [normal()], attributes: { permutation: [] } },
  ],
});

/** The permutation that undoes another one. */
const invert = (permutation: readonly number[]): number[] => permutation.map((_, axis) => permutation.indexOf(axis));

/** Sums what was spread, and puts the axes back in the operand's order. */
function broadcastGradient(e: Emit, x: TensorType, axes: readonly number[], d: Value): Value {
  const kept = axes.filter((axis, i) => equalDims(x.shape[i]!, d.type.shape[axis]!));
  const spread = d.type.shape.map((_, axis) => axis).filter((axis) => !kept.includes(axis));
  const summed = e.reduce("sum", d, spread);
  const sorted = [...kept].sort((a, b) => a - b);
  const permutation = kept.map((axis) => sorted.indexOf(axis));
  const ordered = permutation.every((axis, i) => axis === i) ? summed : e.transpose(summed, permutation);
  return equalShapes(ordered.type.shape, x.shape) ? ordered : e.reshape(ordered, x.shape);
}

const broadcast = defineOp({
  name: "broadcast",
  doc:
    "x repeated into `shape`: its axis i becomes axis `axes[i]`, where an axis of size 1 is spread; along the other axes of the " +
    "result everything is repeated.",
  inputs: ["x"],
  attributes: { shape: attribute.dims, axes: attribute.ints },
  infer: ([x], { shape, axes }) => {
    requireShape("broadcast", shape);
    const result = { dtype: x!.dtype, shape };
    requireAxes("broadcast", result, axes);
    if (axes.length !== x!.shape.length)
      throw new InferenceError(`broadcast: axes [${axes.join(", ")}] do not name every axis of ${formatType(x!)}`, 0);
    axes.forEach((axis, i) => {
      const dim = x!.shape[i]!;
      if (dim !== 1 && !equalDims(dim, shape[axis]!))
        throw new InferenceError(
          `broadcast: axis ${i} of ${formatType(x!)} does not fit axis ${axis} of ${formatShape(shape)}`,
          0,
        );
    });
    return [result];
  },
  evaluate: ([x], { axes }, [type]) => [
    makeTensor(type!.dtype, type!.shape, (index) =>
      elementAt(
        x!,
        axes.map((axis, i) => (x!.shape[i] === 1 ? 0 : index[axis]!)),
      ),
    ),
  ],
  differentiate: ({ inputs: [x], cotangents: [d], attributes, emit }) => [
    d && broadcastGradient(emit, x!.type, attributes.axes, d),
  ],
  lower: {
    kind: "element",
    element: (context, index) => {
      const { shape } = context.inputTypes[0]!;
      return context.input(
        0,
        context.attributes.axes.map((axis, i): Expr => (shape[i] === 1 ? k.index(0) : index[axis]!)),
      );
    },
  },
  flops: nothing,
  samples: [
    { inputs: [normal(3)], attributes: { shape: [2, 3], axes: [1] } },
    { inputs: [normal(3)], attributes: { shape: [3, 2], axes: [0] } },
    { inputs: [normal(1, 3)], attributes: { shape: [4, 3], axes: [0, 1] } },
    { inputs: [normal(2, 3)], attributes: { shape: [3, 4, 2], axes: [2, 0] } },
    { inputs: [normal()], attributes: { shape: [2, 2], axes: [] } },
    { inputs: [normal(3)], attributes: { shape: [0, 3], axes: [1] } },
    { inputs: [integers(-9, 9, [2])], attributes: { shape: [2, 1, 2], axes: [2] } },
  ],
});

const reverse = defineOp({
  name: "reverse",
  doc: "Elements in the opposite order along `axes`.",
  inputs: ["x"],
  attributes: { axes: attribute.ints },
  infer: ([x], { axes }) => {
    requireAxes("reverse", x!, axes);
    return [x!];
  },
  evaluate: ([x], { axes }, [type]) => [
    makeTensor(type!.dtype, type!.shape, (index) =>
      elementAt(
        x!,
        index.map((i, axis) => (axes.includes(axis) ? type!.shape[axis]! - 1 - i : i)),
      ),
    ),
  ],
  differentiate: ({ cotangents: [d], attributes: { axes }, emit }) => [d && emit.value("reverse", [d], { axes })],
  lower: {
    kind: "element",
    element: (context, index) => {
      const { shape } = context.inputTypes[0]!;
      const { axes } = context.attributes;
      const last = (axis: number): Expr => k.fromDim(subtractDims(shape[axis]!, 1));
      return context.input(
        0,
        index.map((i, axis) => (axes.includes(axis) ? k.subtract(last(axis), i) : i)),
      );
    },
  },
  flops: nothing,
  samples: [
    { inputs: [normal(5)], attributes: { axes: [0] } },
    { inputs: [normal(2, 3, 4)], attributes: { axes: [0, 2] } },
    { inputs: [normal(3, 0)], attributes: { axes: [1] } },
  ],
});

export const movementOperations = [reshape, transpose, broadcast, reverse];
