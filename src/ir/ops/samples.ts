// Short names for the operands on which the generated tests run an operation.

import type { DType } from "../dtype.ts";
import type { SampleTensor } from "../op.ts";

type Shape = readonly number[];

export const normal = (...shape: Shape): SampleTensor => ({ dtype: "f32", shape, distribution: { kind: "normal" } });

export const uniform = (low: number, high: number, ...shape: Shape): SampleTensor => ({
  dtype: "f32",
  shape,
  distribution: { kind: "uniform", low, high },
});

/** All different and away from kinks, for maxima. */
export const spaced = (...shape: Shape): SampleTensor => ({ dtype: "f32", shape, distribution: { kind: "spaced" } });

/** Integers from `low` to `high`, both included. */
export const integers = (low: number, high: number, shape: Shape, dtype: DType = "i32"): SampleTensor => ({
  dtype,
  shape,
  distribution: { kind: "integers", low, high },
});

export const values = (given: readonly number[], shape: Shape, dtype: DType = "f32"): SampleTensor => ({
  dtype,
  shape,
  distribution: { kind: "values", values: given },
});
