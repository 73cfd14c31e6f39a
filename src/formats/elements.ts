// Elements of files to elements of tensors: widening and narrowing that loses nothing silently, half precision, and
// the shortest decimal that reads back to the same float32.

import { allocate, type DType, isInteger, type Tensor, type TypedArray } from "../ir/dtype.ts";
import { fromHalf, toHalf } from "../util/half.ts";

/** A tensor that cannot be had in another element type without loss of meaning. */
export class ConversionError extends Error {
  override readonly name = "ConversionError";
}

/** Reads element `i` as a number; half precision is decoded. */
export const valueAt = (tensor: Tensor, i: number): number =>
  tensor.dtype === "f16" ? fromHalf(tensor.data[i]!) : tensor.data[i]!;

const integerRange: Readonly<Record<"i32" | "u8" | "i8", readonly [number, number]>> = {
  i32: [-2147483648, 2147483647],
  u8: [0, 255],
  i8: [-128, 127],
};

/**
 * The same values in another element type. Floats to integers only where each value is an integer in range, anything to
 * bool only where it is 0 or 1. Throws a ConversionError that names the first value in the way.
 */
export function convertTensor(tensor: Tensor, dtype: DType): Tensor {
  if (tensor.dtype === dtype) return tensor;
  const { length } = tensor.data;
  const data: TypedArray = allocate(dtype, length);
  const refuse = (i: number): never => {
    throw new ConversionError(`element ${i} is ${valueAt(tensor, i)}, which is no ${dtype}`);
  };
  for (let i = 0; i < length; i++) {
    const value = valueAt(tensor, i);
    if (dtype === "f16") {
      data[i] = toHalf(value);
      continue;
    }
    if (dtype === "bool" && value !== 0 && value !== 1) refuse(i);
    if (dtype === "i32" || dtype === "u8" || dtype === "i8") {
      const [low, high] = integerRange[dtype];
      if (!Number.isInteger(value) || value < low || value > high) refuse(i);
    }
    data[i] = value;
  }
  return { dtype, shape: tensor.shape, data };
}

/** The shortest decimal number that rounds to the float32 `value`: 0.1, not 0.10000000149011612. */
export function shortestFloat32(value: number): number {
  if (!Number.isFinite(value) || Number.isInteger(value) || Math.fround(value) !== value) return value;
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9));
}

/** Element `i` as people read it: floats as their shortest decimal. */
export const readableAt = (tensor: Tensor, i: number): number =>
  isInteger(tensor.dtype) || tensor.dtype === "bool" ? tensor.data[i]! : shortestFloat32(valueAt(tensor, i));

export const elementCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** `f32[3, 4]`, as messages write the type of a tensor. */
export const describeTensor = ({ dtype, shape }: Pick<Tensor, "dtype" | "shape">): string =>
  `${dtype}[${shape.join(", ")}]`;
