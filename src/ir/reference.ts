// Tensors of the reference interpreter: every element in float64, row-major. The meanings of the operations (`evaluate` in
// ops/) are written with these helpers, for clarity and not for speed.

import { roundToHalf } from "../util/half.ts";
import { type Dim, evaluateDim } from "./dim.ts";
import type { DType } from "./dtype.ts";
import type { ReferenceTensor } from "./op.ts";

export type Shape = readonly number[];

/** The number of elements of a shape. */
export const countOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

/** Elements between neighbours along each axis, in row-major order. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** The position in `data` of the element at `index`. */
export function linearOf(shape: Shape, index: readonly number[]): number {
  let linear = 0;
  for (let axis = 0; axis < shape.length; axis++) linear = linear * shape[axis]! + index[axis]!;
  return linear;
}

/** Calls `visit` for every index of `shape`, in row-major order. The list is reused: copy it to keep it. */
export function eachIndex(shape: Shape, visit: (index: readonly number[], linear: number) => void): void {
  const count = countOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  for (let linear = 0; linear < count; linear++) {
    visit(index, linear);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = index[axis]! + 1;
      index[axis] = next < shape[axis]! ? next : 0;
      if (next < shape[axis]!) break;
    }
  }
}

/** A tensor whose elements are given by their indices. */
export function makeTensor(
  dtype: DType,
  shape: Shape,
  element: (index: readonly number[], linear: number) => number,
): ReferenceTensor {
  const data = new Float64Array(countOf(shape));
  eachIndex(shape, (index, linear) => {
    data[linear] = element(index, linear);
  });
  return { dtype, shape: [...shape], data };
}

/** The element of `tensor` at `index`. */
export const elementAt = (tensor: ReferenceTensor, index: readonly number[]): number =>
  tensor.data[linearOf(tensor.shape, index)]!;

/** A number as an element type holds it: integers wrap, truth is 0 or 1, floats stay float64. */
export function wrap(dtype: DType, value: number): number {
  switch (dtype) {
    case "f32":
    case "f16":
      return value;
    case "i32":
      return value | 0;
    case "u8":
      return value & 0xff;
    case "i8":
      return (value << 24) >> 24;
    case "bool":
      return value !== 0 ? 1 : 0;
  }
}

/** A tensor as memory holds it: halves are rounded, other floats stay float64, which tells mistakes from rounding. */
export const stored = (tensor: ReferenceTensor): ReferenceTensor =>
  tensor.dtype === "f16" ? { ...tensor, data: tensor.data.map(roundToHalf) } : tensor;

/** The least and the greatest value of an element type. */
export function rangeOf(dtype: DType): readonly [low: number, high: number] {
  switch (dtype) {
    case "f32":
    case "f16":
      return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    case "i32":
      return [-2147483648, 2147483647];
    case "u8":
      return [0, 255];
    case "i8":
      return [-128, 127];
    case "bool":
      return [0, 1];
  }
}

/** Attributes hold numbers by the time an operation is evaluated; this says so to the type checker. */
export const numberOf = (dim: Dim): number => evaluateDim(dim, {});

export const numbersOf = (dims: readonly Dim[]): number[] => dims.map(numberOf);
