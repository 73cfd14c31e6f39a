// The places of the maxima in windows: picking elements there, and adding to elements there. Each is the other's gradient.

import { type AttributesOf, attribute } from "../attributes.ts";
import { type Dim, multiplyDims, productOf } from "../dim.ts";
import type { TensorType } from "../graph.ts";
import { k } from "../kernel/build.ts";
import { defineOp, InferenceError, type ReferenceTensor, type Sample } from "../op.ts";
import { eachIndex, elementAt, linearOf, makeTensor, wrap } from "../reference.ts";
import { formatShape, formatType, requireEqual, requireSameDType } from "./checks.ts";
import { windowCount } from "./geometry.ts";
import { identityOf } from "./reduce.ts";
import { normal, spaced } from "./samples.ts";
import { scatterStatements } from "./window-scatter.ts";
import { eachPlace, geometries, geometry, placeExpr, windowAxes, windowedShape, windowFlops } from "./window-shape.ts";

const pickAttributes = { kind: attribute.oneOf("max", "min"), ...geometry };
export type PickAttributes = AttributesOf<typeof pickAttributes>;

/** The index of the first greatest (least) element under a window; undefined where nothing exceeds the identity. */
function findPick(x: ReferenceTensor, attributes: PickAttributes, position: readonly number[]): number | undefined {
  let best = identityOf(attributes.kind, x.dtype);
  let found: number | undefined;
  eachPlace(windowAxes(x.shape, attributes), attributes.window, position, (place) => {
    const value = elementAt(x, place);
    if (attributes.kind === "max" ? !(value > best) : !(value < best)) return;
    best = value;
    found = linearOf(x.shape, place);
  });
  return found;
}

const pickSamples = (kind: "max" | "min", second: "x" | "result"): Sample<PickAttributes>[] =>
  geometries.map(([shape, given]) => {
    const counts = windowAxes(shape, given).map((axis) => windowCount("sample", axis));
    const other = second === "x" ? shape : counts.map((count) => (typeof count === "number" ? count : 1));
    return { inputs: [spaced(...shape), normal(...other)], attributes: { kind, ...given } };
  });

function requireShapeOf(op: string, type: TensorType, shape: readonly Dim[]): void {
  if (type.shape.length !== shape.length)
    throw new InferenceError(`${op}: operand 1 must have the shape ${formatShape(shape)}, not ${formatType(type)}`, 1);
  shape.forEach((dim, i) => {
    requireEqual(op, `axis ${i} of ${formatShape(shape)} and of ${formatType(type)}`, dim, type.shape[i]!, 1);
  });
}

const windowSelect = defineOp<typeof pickAttributes>({
  name: "window_select",
  doc:
    "For each window over x the element of g, which is shaped like x, at the place of the first greatest (least) element of x. " +
    "0 where no element of the window exceeds -∞ (for kind min: lies below ∞).",
  inputs: ["x", "g"],
  attributes: pickAttributes,
  infer: ([x, g], given) => {
    requireShapeOf("window_select", g!, x!.shape);
    return [{ dtype: g!.dtype, shape: windowedShape("window_select", x!, given) }];
  },
  evaluate: ([x, g], given, [type]) => [
    makeTensor(type!.dtype, type!.shape, (position) => {
      const found = findPick(x!, given, position);
      return found === undefined ? 0 : g!.data[found]!;
    }),
  ],
  differentiate: ({ inputs: [x], cotangents: [d], attributes: given, emit }) => [
    undefined,
    d && emit.value("window_scatter", [x!, d], { ...given }),
  ],
  lower: {
    kind: "reduction",
    domain: ({ attributes: { window } }) => window,
    accumulators: ({ attributes: { kind }, inputTypes: [x, g] }) => [
      k.constant(0, g!.dtype),
      k.constant(identityOf(kind, x!.dtype), x!.dtype),
    ],
    step: (context, position, tap, [picked, best]) => {
      const { kind } = context.attributes;
      const { index, inside } = placeExpr(context.inputTypes[0]!.shape, context.attributes, position, tap);
      const value = context.input(0, index);
      const better = k.and(inside, kind === "max" ? k.gt(value, best!) : k.lt(value, best!));
      return [k.select(better, context.input(1, index), picked!), k.select(better, value, best!)];
    },
  },
  flops: windowFlops,
  samples: [...pickSamples("max", "x"), ...pickSamples("min", "x").slice(0, 2)],
});

const windowScatter = defineOp<typeof pickAttributes>({
  name: "window_scatter",
  doc:
    "The transpose of window_select: each element of d, which is shaped like the result of the window, is added at the place of the " +
    "first greatest (least) element of x in its window. The result is shaped like x, and 0 elsewhere.",
  inputs: ["x", "d"],
  attributes: pickAttributes,
  infer: ([x, d], given) => {
    requireSameDType("window_scatter", x!, d!, 1);
    requireShapeOf("window_scatter", d!, windowedShape("window_scatter", x!, given));
    return [x!];
  },
  evaluate: ([x, d], given, [type]) => {
    const result = makeTensor(type!.dtype, type!.shape, () => 0);
    eachIndex(d!.shape, (position, linear) => {
      const found = findPick(x!, given, position);
      if (found === undefined) return;
      result.data[found] = wrap(type!.dtype, result.data[found]! + d!.data[linear]!);
    });
    return [result];
  },
  differentiate: ({ inputs: [x], cotangents: [d], attributes: given, emit }) => [
    undefined,
    d && emit.value("window_select", [x!, d], { ...given }),
  ],
  lower: { kind: "statements", statements: scatterStatements },
  flops: ([, d], _, given) => multiplyDims(productOf(given.window), productOf(d!.shape)),
  samples: [...pickSamples("max", "result"), ...pickSamples("min", "result").slice(0, 2)],
});

export const windowPickOperations = [windowSelect, windowScatter];
