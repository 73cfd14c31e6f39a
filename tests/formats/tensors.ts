// Random tensors for round trips, of every element type and of shapes with 0 and 1 in them.

import fc from "fast-check";
import { allocate, type DType, dtypes, type Tensor } from "../../src/ir/dtype.ts";

const element = (dtype: DType): fc.Arbitrary<number> => {
  switch (dtype) {
    case "f32":
      return fc.float();
    case "f16":
      return fc.nat(65535);
    case "i32":
      return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    case "u8":
      return fc.nat(255);
    case "i8":
      return fc.integer({ min: -128, max: 127 });
    case "bool":
      return fc.nat(1);
  }
};

export const tensorOf = (dtype: DType): fc.Arbitrary<Tensor> =>
  fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).chain((shape) => {
    const length = shape.reduce((a, b) => a * b, 1);
    return fc.array(element(dtype), { minLength: length, maxLength: length }).map((values) => {
      const data = allocate(dtype, length);
      data.set(values);
      return { dtype, shape, data };
    });
  });

export const tensors: fc.Arbitrary<Tensor> = fc.constantFrom(...dtypes).chain(tensorOf);
