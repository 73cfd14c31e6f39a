// Reductions over windows that slide over all axes. The gradients of maxima are made of the operations in window-pick.ts.

import { attribute } from "../attributes.ts";
import { subtractDims } from "../dim.ts";
import { isFloat } from "../dtype.ts";
import type { Emit } from "../emit.ts";
import type { TensorType, Value } from "../graph.ts";
import { k } from "../kernel/build.ts";
import { defineOp } from "../op.ts";
import { elementAt, makeTensor, wrap } from "../reference.ts";
import { dilatedWindow } from "./geometry.ts";
import { combine, combineExpr, identityOf } from "./reduce.ts";
import { integers, normal, spaced } from "./samples.ts";
import { dilatedSize } from "./slice.ts";
import {
  eachPlace,
  geometries,
  geometry,
  placeExpr,
  type WindowAttributes,
  windowAxes,
  windowedShape,
  windowFlops,
  windowOf,
} from "./window-shape.ts";

/**
 * The gradient of a sum over windows: every element gets the gradients of the windows that lie over it, which is a sum over
 * windows again, of the gradient with its elements as far apart as the strides.
 */
function sumGradient(e: Emit, x: TensorType, attributes: WindowAttributes, d: Value): Value {
  const axes = windowAxes(x.shape, attributes);
  const low = axes.map((axis) => subtractDims(subtractDims(dilatedWindow(axis), 1), axis.low));
  const high = axes.map((axis, i) => {
    const spread = dilatedSize(d.type.shape[i]!, axis.stride - 1);
    const before = subtractDims(subtractDims(axis.size, spread), low[i]!);
    return subtractDims(before, subtractDims(1, dilatedWindow(axis)));
  });
  const spread = e.value("pad", [d], { low, high, interior: attributes.strides.map((s) => s - 1), value: 0 });
  const ones = axes.map(() => 1);
  const { window, dilation } = attributes;
  return e.value("reduce_window", [spread], {
    kind: "sum",
    window,
    strides: ones,
    padding: ones.map(() => [0, 0]),
    dilation,
  });
}

const reduceAttributes = { kind: attribute.oneOf("sum", "max", "min"), ...geometry };

const reduceWindow = defineOp<typeof reduceAttributes>({
  name: "reduce_window",
  doc:
    "The sum, maximum or minimum over a window that slides over x: one size, stride, padding and dilation for each axis, 1 and 0 on " +
    "axes that are left alone. Padding counts as nothing. The gradient of a maximum goes to the first of equal elements.",
  inputs: ["x"],
  attributes: reduceAttributes,
  infer: ([x], given) => [{ dtype: x!.dtype, shape: windowedShape("reduce_window", x!, given) }],
  evaluate: ([x], given, [type]) => [
    makeTensor(type!.dtype, type!.shape, (position) => {
      let value = identityOf(given.kind, type!.dtype);
      eachPlace(windowAxes(x!.shape, given), given.window, position, (place) => {
        value = wrap(type!.dtype, combine[given.kind](value, elementAt(x!, place), type!.dtype));
      });
      return value;
    }),
  ],
  differentiate: ({ inputs: [x], cotangents: [d], attributes: given, emit: e }) => {
    if (!d || !isFloat(x!.type.dtype)) return [undefined];
    if (given.kind === "sum") return [sumGradient(e, x!.type, given, d)];
    return [e.value("window_scatter", [x!, d], { ...given })];
  },
  smooth: false,
  lower: {
    kind: "reduction",
    domain: ({ attributes: { window } }) => window,
    accumulators: ({ attributes: { kind }, resultTypes: [type] }) => [
      k.constant(identityOf(kind, type!.dtype), type!.dtype),
    ],
    step: (context, position, tap, [accumulator]) => {
      const { kind } = context.attributes;
      const { shape, dtype } = context.inputTypes[0]!;
      const { index, inside } = placeExpr(shape, context.attributes, position, tap);
      const value = k.select(inside, context.input(0, index), k.constant(identityOf(kind, dtype), dtype));
      return [combineExpr[kind](accumulator!, value)];
    },
  },
  flops: windowFlops,
  samples: [
    ...geometries.map(([shape, given]) => ({
      inputs: [normal(...shape)],
      attributes: { kind: "sum" as const, ...given },
    })),
    ...geometries.map(([shape, given]) => ({
      inputs: [spaced(...shape)],
      attributes: { kind: "max" as const, ...given },
    })),
    { inputs: [spaced(6, 5)], attributes: { kind: "min", ...windowOf([2, 3], [2, 1]) } },
    { inputs: [integers(-9, 9, [7])], attributes: { kind: "max", ...windowOf([3], [2], [[1, 1]]) } },
  ],
});

export const windowOperations = [reduceWindow];
