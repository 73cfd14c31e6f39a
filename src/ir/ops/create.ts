// Operations that make tensors out of little: counting, small constants, random bits, sizes.

import { attribute } from "../attributes.ts";
import { type Dim, multiplyDims, productOf } from "../dim.ts";
import { k } from "../kernel/build.ts";
import type { Expr } from "../kernel/types.ts";
import { defineOp, InferenceError } from "../op.ts";
import { countOf, makeTensor, numberOf, numbersOf, stridesOf, wrap } from "../reference.ts";
import { threefry2x32 } from "../threefry.ts";
import { formatShape, formatType, requireAxis, requireShape } from "./checks.ts";
import { integers, values } from "./samples.ts";

/** The row-major position of `index` in `shape`. */
const linearIndex = (shape: readonly Dim[], index: readonly Expr[]): Expr =>
  index.reduce((linear, i, axis) => k.add(k.multiply(linear, k.fromDim(shape[axis]!)), i), k.index(0));

const iota = defineOp({
  name: "iota",
  doc: "0, 1, 2, … along `axis`, the same everywhere else.",
  inputs: [],
  attributes: { shape: attribute.dims, axis: attribute.int, dtype: attribute.dtype },
  infer: (_, { shape, axis, dtype }) => {
    requireShape("iota", shape);
    requireAxis("iota", { dtype, shape }, axis);
    if (dtype === "bool") throw new InferenceError("iota counts in numbers, not in truth values");
    return [{ dtype, shape }];
  },
  evaluate: (_, { axis }, [type]) => [makeTensor(type!.dtype, type!.shape, (index) => wrap(type!.dtype, index[axis]!))],
  lower: {
    kind: "element",
    element: ({ attributes, resultTypes }, index) => k.convert(index[attributes.axis]!, resultTypes[0]!.dtype),
  },
  samples: [
    { inputs: [], attributes: { shape: [5], axis: 0, dtype: "i32" } },
    { inputs: [], attributes: { shape: [2, 3], axis: 1, dtype: "f32" } },
    { inputs: [], attributes: { shape: [3, 2, 2], axis: 0, dtype: "i32" } },
    { inputs: [], attributes: { shape: [300], axis: 0, dtype: "u8" } },
    { inputs: [], attributes: { shape: [0], axis: 0, dtype: "i32" } },
  ],
});

const constant = defineOp({
  name: "constant",
  doc: "A small tensor whose elements are given, in row-major order. One number everywhere is a `broadcast` of a literal.",
  inputs: [],
  attributes: { values: attribute.floats, shape: attribute.dims, dtype: attribute.dtype },
  infer: (_, { values: given, shape, dtype }) => {
    if (shape.some((dim) => typeof dim !== "number"))
      throw new InferenceError(`constant: the shape ${formatShape(shape)} must be made of numbers`);
    const count = productOf(shape);
    if (count !== given.length)
      throw new InferenceError(`constant: ${given.length} values do not fill the shape ${formatShape(shape)}`);
    return [{ dtype, shape }];
  },
  evaluate: (_, { values: given }, [type]) => [
    makeTensor(type!.dtype, type!.shape, (_index, linear) => wrap(type!.dtype, given[linear]!)),
  ],
  lower: {
    kind: "statements",
    statements: ({ attributes, resultTypes, store }) => {
      const { dtype } = resultTypes[0]!;
      const shape = numbersOf(attributes.shape);
      const strides = stridesOf(shape);
      return Array.from({ length: countOf(shape) }, (_, linear) => {
        const index = shape.map((size, axis) => k.index(Math.floor(linear / strides[axis]!) % size));
        return store(index, k.constant(wrap(dtype, attributes.values[linear]!), dtype));
      });
    },
  },
  flops: () => 0,
  samples: [
    { inputs: [], attributes: { values: [1, -2, 0.5], shape: [3], dtype: "f32" } },
    { inputs: [], attributes: { values: [1, 2, 3, 4, 5, 6], shape: [2, 3], dtype: "i32" } },
    { inputs: [], attributes: { values: [7], shape: [], dtype: "f32" } },
    { inputs: [], attributes: { values: [1, 0], shape: [2], dtype: "bool" } },
    { inputs: [], attributes: { values: [], shape: [0], dtype: "f32" } },
  ],
});

const randomBits = defineOp({
  name: "random_bits",
  doc:
    "32 random bits for each element: word 0 of Threefry-2x32-20 (Salmon et al., SC 2011) for the key (key[0], key[1]) and the " +
    "counter (row-major position, stream). The same on every back-end; different streams are independent.",
  inputs: ["key"],
  attributes: { shape: attribute.dims, stream: attribute.int },
  infer: ([key], { shape }) => {
    requireShape("random_bits", shape);
    if (key!.dtype !== "i32" || key!.shape.length !== 1 || key!.shape[0] !== 2)
      throw new InferenceError(`random_bits takes a key i32[2], not ${formatType(key!)}`, 0);
    return [{ dtype: "i32", shape }];
  },
  evaluate: ([key], { stream }, [type]) => {
    const [k0, k1] = key!.data;
    return [makeTensor("i32", type!.shape, (_, linear) => threefry2x32([k0!, k1!], [linear, stream])[0])];
  },
  lower: {
    kind: "element",
    element: ({ attributes, resultTypes, input }, index) =>
      k.threefry(
        [input(0, [k.index(0)]), input(0, [k.index(1)])],
        [k.convert(linearIndex(resultTypes[0]!.shape, index), "i32"), k.constant(attributes.stream | 0, "i32")],
      ),
  },
  flops: (_, [result]) => multiplyDims(100, productOf(result!.shape)),
  samples: [
    { inputs: [values([7, -3], [2], "i32")], attributes: { shape: [5], stream: 0 } },
    { inputs: [values([0, 1], [2], "i32")], attributes: { shape: [3, 4], stream: 9 } },
    { inputs: [integers(-(2 ** 31), 2 ** 31 - 1, [2])], attributes: { shape: [2, 0], stream: 1 } },
  ],
});

const sizeOf = defineOp({
  name: "size_of",
  doc: "A dimension as a number at run time, such as the batch for a mean.",
  inputs: [],
  attributes: { dim: attribute.dims },
  infer: (_, { dim }) => {
    if (dim.length !== 1) throw new InferenceError("size_of takes one dimension");
    return [{ dtype: "i32", shape: [] }];
  },
  evaluate: (_, { dim }) => [makeTensor("i32", [], () => wrap("i32", numberOf(dim[0]!)))],
  lower: { kind: "element", element: ({ attributes }) => k.convert(k.fromDim(attributes.dim[0]!), "i32") },
  flops: () => 0,
  samples: [{ inputs: [], attributes: { dim: [32] } }],
});

export const createOperations = [iota, constant, randomBits, sizeOf];
