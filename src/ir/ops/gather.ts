// Reading and adding at places that are known at run time. Each is the other's gradient.

import { attribute } from "../attributes.ts";
import { type Dim, productOf, subtractDims } from "../dim.ts";
import type { TensorType } from "../graph.ts";
import { k } from "../kernel/build.ts";
import type { Expr, Stmt } from "../kernel/types.ts";
import { defineOp, InferenceError } from "../op.ts";
import { eachIndex, elementAt, linearOf, makeTensor, wrap } from "../reference.ts";
import { formatShape, formatType, requireAxis, requireEqual, requireKind, requireSameDType } from "./checks.ts";
import { isDifferentiable } from "./factory.ts";
import { integers, normal, values } from "./samples.ts";

interface GatherAttributes {
  readonly axis: number;
  readonly batch: number;
}

/** The shape of what is gathered: x with its axis replaced by the axes of `indices` after the batch. */
function gatheredShape(op: string, x: TensorType, indices: TensorType, { axis, batch }: GatherAttributes): Dim[] {
  requireAxis(op, x, axis);
  requireKind(op, indices, "integer", 1);
  if (batch < 0 || batch > axis || batch > indices.shape.length)
    throw new InferenceError(
      `${op}: batch ${batch} must lie between 0 and axis ${axis}, within ${formatType(indices)}`,
      1,
    );
  for (let i = 0; i < batch; i++) {
    const what = `axis ${i} of ${formatType(x)} and of ${formatType(indices)}`;
    requireEqual(op, what, x.shape[i]!, indices.shape[i]!, 1);
  }
  if (x.shape[axis] === 0) throw new InferenceError(`${op}: axis ${axis} of ${formatType(x)} is empty`, 0);
  return [...x.shape.slice(0, axis), ...indices.shape.slice(batch), ...x.shape.slice(axis + 1)];
}

/** Splits an index of the gathered shape into the index of `indices`, and what lies before and after the axis of x. */
function splitIndex<T>(index: readonly T[], indicesRank: number, { axis, batch }: GatherAttributes) {
  const places = indicesRank - batch;
  return {
    before: index.slice(0, axis),
    after: index.slice(axis + places),
    indices: [...index.slice(0, batch), ...index.slice(axis, axis + places)],
  };
}

const clamp = (place: number, size: number): number => Math.max(0, Math.min(place, size - 1));
const clampExpr = (place: Expr, size: Dim): Expr =>
  k.maximum(k.minimum(k.convert(place, "index"), k.fromDim(subtractDims(size, 1))), 0);

/** Whether there is anything to read or write, where that depends on a free size. Fixed sizes are 1 or more. */
const isFilled = (size: Dim): Expr | undefined =>
  typeof size === "number" ? undefined : k.compare("gt", k.fromDim(size), 0);

const gather = defineOp({
  name: "gather",
  doc:
    "The slices of x along `axis` at the places that `indices` names; places out of range are clamped. The first `batch` axes of " +
    "both go together: each batch of indices reads its own part of x. Of an axis that is empty at run time, slices are 0. The result's axes are those of x before `axis`, those of " +
    "indices after the batch, and those of x after `axis`.",
  inputs: ["x", "indices"],
  attributes: { axis: attribute.int, batch: attribute.int },
  infer: ([x, indices], attributes) => [{ dtype: x!.dtype, shape: gatheredShape("gather", x!, indices!, attributes) }],
  evaluate: ([x, indices], attributes, [type]) => [
    makeTensor(type!.dtype, type!.shape, (index) => {
      const split = splitIndex(index, indices!.shape.length, attributes);
      const size = x!.shape[attributes.axis]!;
      if (size === 0) return 0;
      const place = clamp(elementAt(indices!, split.indices), size);
      return elementAt(x!, [...split.before, place, ...split.after]);
    }),
  ],
  differentiate: ({ inputs: [x, indices], cotangents: [d], attributes, emit }) => {
    if (!d || !isDifferentiable(x!.type)) return [undefined, undefined];
    const zeros = emit.full(0, x!.type);
    return [emit.value("scatter", [zeros, indices!, d], { ...attributes, kind: "add" }), undefined];
  },
  lower: {
    kind: "element",
    element: (context, index) => {
      const [x, indices] = context.inputTypes;
      const split = splitIndex(index, indices!.shape.length, context.attributes);
      const size = x!.shape[context.attributes.axis]!;
      const place = clampExpr(context.input(1, split.indices), size);
      const element = context.input(0, [...split.before, place, ...split.after]);
      const filled = isFilled(size);
      return filled ? k.select(filled, element, k.constant(0, x!.dtype)) : element;
    },
  },
  flops: () => 0,
  samples: [
    { inputs: [normal(5, 3), integers(0, 4, [7])], attributes: { axis: 0, batch: 0 } },
    { inputs: [normal(4, 3), integers(-2, 6, [2, 3])], attributes: { axis: 0, batch: 0 } },
    { inputs: [normal(3, 5), integers(0, 4, [3])], attributes: { axis: 1, batch: 1 } },
    { inputs: [normal(2, 4, 3), integers(0, 3, [2, 5])], attributes: { axis: 1, batch: 1 } },
    { inputs: [normal(2, 3, 5), integers(0, 4, [2, 2])], attributes: { axis: 2, batch: 1 } },
    { inputs: [normal(2, 3, 5), integers(0, 4, [2])], attributes: { axis: 2, batch: 0 } },
    { inputs: [normal(5), values([3], [], "i32")], attributes: { axis: 0, batch: 0 } },
    { inputs: [normal(5, 2), integers(0, 4, [0])], attributes: { axis: 0, batch: 0 } },
    { inputs: [integers(-9, 9, [5]), integers(0, 4, [4])], attributes: { axis: 0, batch: 0 } },
  ],
});

const scatter = defineOp({
  name: "scatter",
  doc:
    "x with `updates` added to the slices along `axis` that `indices` names: the transpose of gather. Places out of range are " +
    "clamped; places named several times get every update. An axis that is empty at run time takes none.",
  inputs: ["x", "indices", "updates"],
  attributes: { axis: attribute.int, batch: attribute.int, kind: attribute.oneOf("add") },
  infer: ([x, indices, updates], attributes) => {
    requireKind("scatter", x!, "number", 0);
    requireSameDType("scatter", x!, updates!, 2);
    const shape = gatheredShape("scatter", x!, indices!, attributes);
    if (shape.length !== updates!.shape.length)
      throw new InferenceError(
        `scatter: updates must have the shape ${formatShape(shape)}, not ${formatType(updates!)}`,
        2,
      );
    shape.forEach((dim, i) => {
      requireEqual(
        "scatter",
        `axis ${i} of ${formatShape(shape)} and of ${formatType(updates!)}`,
        dim,
        updates!.shape[i]!,
        2,
      );
    });
    return [x!];
  },
  evaluate: ([x, indices, updates], attributes, [type]) => {
    const result = makeTensor(type!.dtype, type!.shape, (_, linear) => x!.data[linear]!);
    if (result.data.length === 0) return [result];
    eachIndex(updates!.shape, (index, linear) => {
      const split = splitIndex(index, indices!.shape.length, attributes);
      const place = clamp(elementAt(indices!, split.indices), x!.shape[attributes.axis]!);
      const at = linearOf(x!.shape, [...split.before, place, ...split.after]);
      result.data[at] = wrap(type!.dtype, result.data[at]! + updates!.data[linear]!);
    });
    return [result];
  },
  differentiate: ({ inputs: [, indices], cotangents: [d], attributes: { axis, batch }, emit }) => [
    d,
    undefined,
    d && emit.value("gather", [d, indices!], { axis, batch }),
  ],
  lower: {
    kind: "statements",
    statements: (context) => {
      const { axis, batch } = context.attributes;
      const [x, indices, updates] = context.inputTypes;
      const places = indices!.shape.length - batch;
      const add = (index: readonly Expr[]): Stmt[] => {
        const split = splitIndex(index, indices!.shape.length, context.attributes);
        const place = context.fresh("place");
        const at = [...split.before, k.variable(place, "index"), ...split.after];
        return [
          k.let(place, clampExpr(context.input(1, split.indices), x!.shape[axis]!)),
          context.store(at, k.add(context.stored(at), context.input(2, index))),
        ];
      };
      // Several places may be the same, so that the loops over them are serial.
      const serial = (i: number): boolean => i >= axis && i < axis + places;
      const additions = nest(updates!.shape, context.fresh, serial, add);
      const condition = isFilled(x!.shape[axis]!);
      return [
        ...nest(
          x!.shape,
          context.fresh,
          () => false,
          (index) => [context.store(index, context.input(0, index))],
        ),
        ...(condition ? [{ kind: "if", condition, then: additions, otherwise: [] } satisfies Stmt] : additions),
      ];
    },
  },
  flops: ([, , updates]) => productOf(updates!.shape),
  samples: [
    { inputs: [normal(5, 3), integers(0, 4, [7]), normal(7, 3)], attributes: { axis: 0, batch: 0, kind: "add" } },
    {
      inputs: [normal(4, 3), integers(-2, 6, [2, 3]), normal(2, 3, 3)],
      attributes: { axis: 0, batch: 0, kind: "add" },
    },
    { inputs: [normal(3, 5), integers(0, 4, [3]), normal(3)], attributes: { axis: 1, batch: 1, kind: "add" } },
    {
      inputs: [normal(2, 3, 5), integers(0, 4, [2, 2]), normal(2, 3, 2)],
      attributes: { axis: 2, batch: 1, kind: "add" },
    },
    { inputs: [normal(5, 2), integers(0, 4, [0]), normal(0, 2)], attributes: { axis: 0, batch: 0, kind: "add" } },
    {
      inputs: [integers(-9, 9, [3]), integers(0, 2, [9]), integers(-9, 9, [9])],
      attributes: { axis: 0, batch: 0, kind: "add" },
    },
  ],
});

/** One loop for each axis of `shape` that is longer than 1, outermost first. */
export function nest(
  shape: readonly Dim[],
  fresh: (stem: string) => string,
  serial: (axis: number) => boolean,
  body: (index: readonly Expr[]) => readonly Stmt[],
): readonly Stmt[] {
  const from = (index: readonly Expr[]): readonly Stmt[] => {
    const axis = index.length;
    if (axis === shape.length) return body(index);
    if (shape[axis] === 1) return from([...index, k.index(0)]);
    const mode = serial(axis) ? "serial" : "parallel";
    return [k.loop(fresh("i"), k.fromDim(shape[axis]!), (i) => from([...index, i]), { mode })];
  };
  return from([]);
}

export const gatherOperations = [gather, scatter];
