// What the inference rules of several families check, with one wording of the errors.

import { type Dim, equalDims, equalShapes, formatDim } from "../dim.ts";
import { type DType, isFloat, isInteger } from "../dtype.ts";
import { formatType, type TensorType } from "../graph.ts";
import { InferenceError } from "../op.ts";

export { formatType };

export const formatShape = (shape: readonly Dim[]): string => `[${shape.map(formatDim).join(", ")}]`;

const kinds = {
  any: { expected: "any element type", is: (_: DType) => true },
  number: { expected: "numbers", is: (dtype: DType) => dtype !== "bool" },
  float: { expected: "floating-point numbers", is: isFloat },
  integer: { expected: "integers", is: isInteger },
  /** For bitwise and logical operations. */
  bits: { expected: "integers or truth values", is: (dtype: DType) => isInteger(dtype) || dtype === "bool" },
  bool: { expected: "truth values (bool)", is: (dtype: DType) => dtype === "bool" },
} as const;

/** Which element types an operation takes. */
export type ElementKind = keyof typeof kinds;

export function requireKind(op: string, type: TensorType, kind: ElementKind, operand: number): void {
  if (!kinds[kind].is(type.dtype))
    throw new InferenceError(`${op} takes ${kinds[kind].expected}, not ${formatType(type)}`, operand);
}

export function requireSameDType(op: string, x: TensorType, y: TensorType, operand: number): void {
  if (x.dtype !== y.dtype)
    throw new InferenceError(
      `${op} takes operands of one element type, not ${formatType(x)} and ${formatType(y)}`,
      operand,
    );
}

/** Operands of elementwise operations have one shape, save that scalars are spread; it is returned. */
export function commonShape(op: string, types: readonly TensorType[]): readonly Dim[] {
  const shaped = types.find(({ shape }) => shape.length > 0);
  if (!shaped) return [];
  types.forEach((type, i) => {
    if (type.shape.length > 0 && !equalShapes(type.shape, shaped.shape))
      throw new InferenceError(`${op} takes operands of one shape, not ${types.map(formatType).join(" and ")}`, i);
  });
  return shaped.shape;
}

export function requireAxis(op: string, type: TensorType, axis: number, operand = 0): void {
  if (axis < 0 || axis >= type.shape.length)
    throw new InferenceError(`${op}: ${formatType(type)} has no axis ${axis}`, operand);
}

/** Axes of `type`, all different. */
export function requireAxes(op: string, type: TensorType, axes: readonly number[], operand = 0): void {
  for (const axis of axes) requireAxis(op, type, axis, operand);
  if (new Set(axes).size !== axes.length)
    throw new InferenceError(`${op}: an axis is named twice in [${axes.join(", ")}]`, operand);
}

/** A list with one entry for each axis. */
export function requirePerAxis(op: string, type: TensorType, name: string, list: readonly unknown[]): void {
  if (list.length !== type.shape.length)
    throw new InferenceError(
      `${op}: ${name} has ${list.length} entries, and ${formatType(type)} has ${type.shape.length} axes`,
    );
}

export function requireEqual(op: string, what: string, a: Dim, b: Dim, operand?: number): void {
  if (!equalDims(a, b)) throw new InferenceError(`${op}: ${what} differ: ${formatDim(a)} and ${formatDim(b)}`, operand);
}

/** Dimensions that are numbers must not be negative. */
export function requireShape(op: string, shape: readonly Dim[]): void {
  if (shape.some((dim) => typeof dim === "number" && dim < 0))
    throw new InferenceError(`${op}: the shape ${formatShape(shape)} has a negative size`);
}
