// Parts of tensors, and tensors with something around them; each is the other's gradient.

import { attribute } from "../attributes.ts";
import { addDims, type Dim, floorDivideDim, formatDim, multiplyDims, subtractDims } from "../dim.ts";
import type { TensorType } from "../graph.ts";
import { k } from "../kernel/build.ts";
import type { Expr } from "../kernel/types.ts";
import { defineOp, InferenceError } from "../op.ts";
import { elementAt, makeTensor, numberOf, wrap } from "../reference.ts";
import { formatType, requirePerAxis } from "./checks.ts";
import { integers, normal } from "./samples.ts";

const nothing = (): Dim => 0;

/** The size of an axis with `interior` places between its elements; free sizes are taken to be at least 1. */
export function dilatedSize(size: Dim, interior: number): Dim {
  if (size === 0 || interior === 0) return size;
  return subtractDims(multiplyDims(size, interior + 1), interior);
}

function requirePositive(op: string, name: string, list: readonly number[], least: number): void {
  if (list.some((value) => value < least))
    throw new InferenceError(`${op}: ${name} must be at least ${least}, and is [${list.join(", ")}]`);
}

const slice = defineOp({
  name: "slice",
  doc:
    "The elements from `start` to below `limit`, every `stride`-th, of each axis; 0 ≤ start ≤ limit ≤ size. " +
    "The result has ⌈(limit - start) / stride⌉ of them.",
  inputs: ["x"],
  attributes: { start: attribute.dims, limit: attribute.dims, stride: attribute.ints },
  infer: ([x], { start, limit, stride }) => {
    for (const [name, list] of Object.entries({ start, limit, stride })) requirePerAxis("slice", x!, name, list);
    requirePositive("slice", "stride", stride, 1);
    const shape = x!.shape.map((size, axis) => {
      const [from, to] = [start[axis]!, limit[axis]!];
      const outside = (at: Dim): boolean =>
        typeof at === "number" && (at < 0 || (typeof size === "number" && at > size));
      const length = subtractDims(to, from);
      if (outside(from) || outside(to) || (typeof length === "number" && length < 0))
        throw new InferenceError(
          `slice: ${formatDim(from)} to ${formatDim(to)} does not lie in axis ${axis} of ${formatType(x!)}`,
          0,
        );
      return floorDivideDim(addDims(length, stride[axis]! - 1), stride[axis]!);
    });
    return [{ dtype: x!.dtype, shape }];
  },
  evaluate: ([x], { start, stride }, [type]) => [
    makeTensor(type!.dtype, type!.shape, (index) =>
      elementAt(
        x!,
        index.map((i, axis) => numberOf(start[axis]!) + i * stride[axis]!),
      ),
    ),
  ],
  differentiate: ({ inputs: [x], results: [y], cotangents: [d], attributes: { start, stride }, emit }) => {
    if (!d) return [undefined];
    const high = x!.type.shape.map((size, axis) => {
      const length = dilatedSize(y!.type.shape[axis]!, stride[axis]! - 1);
      return subtractDims(subtractDims(size, start[axis]!), length);
    });
    return [emit.value("pad", [d], { low: start, high, interior: stride.map((s) => s - 1), value: 0 })];
  },
  lower: {
    kind: "element",
    element: (context, index) => {
      const { start, stride } = context.attributes;
      return context.input(
        0,
        index.map((i, axis) => k.add(k.multiply(i, stride[axis]!), k.fromDim(start[axis]!))),
      );
    },
  },
  flops: nothing,
  samples: [
    { inputs: [normal(7)], attributes: { start: [2], limit: [6], stride: [1] } },
    { inputs: [normal(7)], attributes: { start: [1], limit: [7], stride: [2] } },
    { inputs: [normal(7)], attributes: { start: [0], limit: [6], stride: [4] } },
    { inputs: [normal(3, 5)], attributes: { start: [1, 0], limit: [2, 5], stride: [1, 3] } },
    { inputs: [normal(4)], attributes: { start: [2], limit: [2], stride: [3] } },
    { inputs: [integers(-9, 9, [6])], attributes: { start: [1], limit: [6], stride: [3] } },
  ],
});

/**
 * Where a place of the padded axis lies in the operand: its index there, and whether it is one of its elements. The index is
 * kept in range, for targets that load from both arms of a select.
 */
export function unpad(
  place: Expr,
  low: Dim,
  interior: number,
  size: Dim,
  reach: { readonly below: boolean; readonly above: boolean },
): { readonly index: Expr; readonly inside: Expr } {
  const step = interior + 1;
  const at = k.subtract(place, k.fromDim(low));
  const limit = k.fromDim(dilatedSize(size, interior));
  let inside: Expr = k.bool(true);
  if (reach.below) inside = k.and(inside, k.ge(at, 0));
  if (reach.above) inside = k.and(inside, k.lt(at, limit));
  if (step > 1) inside = k.and(inside, k.eq(k.remainder(at, step), 0));
  let index = k.floordiv(at, k.index(step));
  if (reach.below) index = k.maximum(index, 0);
  if (reach.above) index = k.minimum(index, k.fromDim(subtractDims(size, 1)));
  return { index, inside };
}

/** Whether padding puts anything there: not where it is known to crop or to be nothing. */
export const reaches = (amount: Dim): boolean => typeof amount !== "number" || amount > 0;

const padded = (type: TensorType, axis: number, low: Dim, high: Dim, interior: number): Dim =>
  addDims(addDims(low, high), dilatedSize(type.shape[axis]!, interior));

const pad = defineOp({
  name: "pad",
  doc:
    "x with `low` places before, `high` places after and `interior` places between the elements of each axis, which hold `value`. " +
    "Negative amounts crop what is there after the interior is put in.",
  inputs: ["x"],
  attributes: { low: attribute.dims, high: attribute.dims, interior: attribute.ints, value: attribute.float },
  infer: ([x], { low, high, interior }) => {
    for (const [name, list] of Object.entries({ low, high, interior })) requirePerAxis("pad", x!, name, list);
    requirePositive("pad", "interior", interior, 0);
    const shape = x!.shape.map((_, axis) => padded(x!, axis, low[axis]!, high[axis]!, interior[axis]!));
    const short = shape.findIndex((dim) => typeof dim === "number" && dim < 0);
    if (short >= 0) throw new InferenceError(`pad: more is cropped than axis ${short} of ${formatType(x!)} has`, 0);
    return [{ dtype: x!.dtype, shape }];
  },
  evaluate: ([x], { low, interior, value }, [type]) => [
    makeTensor(type!.dtype, type!.shape, (index) => {
      const at = index.map((i, axis) => (i - numberOf(low[axis]!)) / (interior[axis]! + 1));
      const inside = at.every((i, axis) => Number.isInteger(i) && i >= 0 && i < x!.shape[axis]!);
      return inside ? elementAt(x!, at) : wrap(type!.dtype, value);
    }),
  ],
  differentiate: ({ inputs: [x], cotangents: [d], attributes: { low, high, interior }, emit }) => {
    if (!d) return [undefined];
    const none = low.map(() => 0);
    const minus = (list: readonly Dim[]): Dim[] => list.map((dim) => multiplyDims(-1, dim));
    const back = low.every((dim) => dim === 0) && high.every((dim) => dim === 0);
    const cropped = back ? d : emit.value("pad", [d], { low: minus(low), high: minus(high), interior: none, value: 0 });
    if (interior.every((places) => places === 0)) return [cropped];
    const limit = x!.type.shape.map((size, axis) => dilatedSize(size, interior[axis]!));
    return [emit.value("slice", [cropped], { start: none, limit, stride: interior.map((places) => places + 1) })];
  },
  lower: {
    kind: "element",
    element: (context, index) => {
      const { low, high, interior, value } = context.attributes;
      const { shape, dtype } = context.inputTypes[0]!;
      const places = index.map((place, axis) =>
        unpad(place, low[axis]!, interior[axis]!, shape[axis]!, {
          below: reaches(low[axis]!),
          above: reaches(high[axis]!),
        }),
      );
      const inside = places.map((place) => place.inside).reduce(k.and, k.bool(true));
      const padding = k.constant(wrap(dtype, value), dtype);
      if (shape.includes(0)) return padding;
      const at = places.map((place) => place.index);
      return k.select(inside, context.input(0, at), padding);
    },
  },
  flops: nothing,
  samples: [
    { inputs: [normal(3)], attributes: { low: [2], high: [1], interior: [0], value: 0 } },
    { inputs: [normal(4)], attributes: { low: [0], high: [3], interior: [2], value: 1.5 } },
    { inputs: [normal(5)], attributes: { low: [-2], high: [-1], interior: [0], value: 0 } },
    { inputs: [normal(4)], attributes: { low: [-1], high: [2], interior: [1], value: 0 } },
    { inputs: [normal(4)], attributes: { low: [-3], high: [-2], interior: [2], value: 0 } },
    { inputs: [normal(2, 3)], attributes: { low: [1, -1], high: [0, 1], interior: [0, 1], value: 0 } },
    { inputs: [normal(0, 2)], attributes: { low: [2, 0], high: [1, 1], interior: [3, 0], value: -1 } },
    { inputs: [integers(-9, 9, [3])], attributes: { low: [1], high: [1], interior: [1], value: 7 } },
  ],
});

export const sliceOperations = [slice, pad];
