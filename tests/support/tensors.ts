// Tensors of the runtime from those of the interpreter, and back.

import { allocate, type Tensor } from "../../src/ir/dtype.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { fromHalf, toHalf } from "../../src/util/half.ts";

export function toTensor({ dtype, shape, data }: ReferenceTensor): Tensor {
  const array = allocate(dtype, data.length);
  array.set(dtype === "f16" ? data.map(toHalf) : data);
  return { dtype, shape, data: array };
}

/** The numbers that a tensor holds: those of a reference tensor after rounding to its elements. */
export const toReference = ({ dtype, shape, data }: Tensor): ReferenceTensor => ({
  dtype,
  shape,
  data: Float64Array.from(data, (value) => (dtype === "f16" ? fromHalf(value) : value)),
});
