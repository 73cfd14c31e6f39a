// The places of the maxima in windows: picking elements there, and adding to elements there. Each is the other's gradient.

import { type AttributesOf, attribute } from "../attributes.ts";
import { type Dim, multiplyDims, productOf } from "../dim.ts";
import type { TensorType } from "../graph.ts";
import { k } from "../kernel/build.ts";
import type { Expr, Stmt } from "../kernel/types.ts";
import { defineOp, InferenceError, type ReferenceTensor, type Sample, type StatementContext } from "../op.ts";
import { eachIndex, elementAt, linearOf, makeTensor, wrap } from "../reference.ts";
import { formatShape, formatType, requireEqual, requireSameDType } from "./checks.ts";
import { nest } from "./gather.ts";
import { windowCount } from "./geometry.ts";
import { identityOf } from "./reduce.ts";
import { normal, spaced } from "./samples.ts";
import { eachPlace, geometries, geometry, placeExpr, windowAxes, windowedShape, windowFlops } from "./window-shape.ts";

const pickAttributes = { kind: attribute.oneOf("max", "min"), ...geometry };
type PickAttributes = AttributesOf<typeof pickAttributes>;

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

/** Clears the result, then finds the place of each window's extremum and adds to it. */
function scatterStatements(context: StatementContext<PickAttributes>): readonly Stmt[] {
  const { attributes: given, inputTypes, fresh } = context;
  const [x, d] = inputTypes;
  const { dtype } = x!;
  const zero = k.constant(0, d!.dtype);
  const identity = k.constant(identityOf(given.kind, dtype), dtype);
  const exceeds = given.kind === "max" ? k.gt : k.lt;
  // Windows that overlap add to the same elements.
  const overlaps = (axis: number): boolean =>
    given.strides[axis]! < (given.window[axis]! - 1) * given.dilation[axis]! + 1;
  const one = (position: readonly Expr[]): readonly Stmt[] => {
    const best = fresh("best");
    const value = fresh("value");
    // Along axes whose window is 1 the place is known.
    const start = placeExpr(
      x!.shape,
      given,
      position,
      given.window.map(() => k.index(0)),
    );
    const names = given.window.map((size) => (size === 1 ? undefined : fresh("at")));
    const search = nest(
      given.window,
      fresh,
      () => true,
      (tap) => {
        const { index, inside } = placeExpr(x!.shape, given, position, tap);
        const keep = names.flatMap((name, axis) => (name ? [k.assign(name, index[axis]!)] : []));
        const better = k.and(inside, exceeds(k.variable(value, dtype), k.variable(best, dtype)));
        const improved = [k.assign(best, k.variable(value, dtype)), ...keep];
        return [k.let(value, context.input(0, index)), k.if(better, improved)];
      },
    );
    const at = names.map((name, axis) => (name ? k.variable(name, "index") : start.index[axis]!));
    const sum = k.add(context.stored(at), context.input(1, position));
    return [
      k.var(best, identity),
      ...names.flatMap((name) => (name ? [k.var(name, k.index(0))] : [])),
      ...search,
      k.if(exceeds(k.variable(best, dtype), identity), [context.store(at, sum)]),
    ];
  };
  return [
    ...nest(
      x!.shape,
      fresh,
      () => false,
      (index) => [context.store(index, zero)],
    ),
    ...nest(d!.shape, fresh, overlaps, one),
  ];
}

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
