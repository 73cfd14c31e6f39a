// Types of results with free sizes, and the errors of operands and attributes that do not fit.

import { describe, expect, test } from "vitest";
import type { Attributes } from "../../../src/ir/attributes.ts";
import { addDims, type Dim, multiplyDims, symbol } from "../../../src/ir/dim.ts";
import type { DType } from "../../../src/ir/dtype.ts";
import type { TensorType } from "../../../src/ir/graph.ts";
import { InferenceError } from "../../../src/ir/op.ts";
import { formatType } from "../../../src/ir/print.ts";
import { find } from "./support.ts";

const N = symbol("N");
const T = symbol("T");
const f32 = (...shape: readonly Dim[]): TensorType => ({ dtype: "f32", shape });
const typed = (dtype: DType, ...shape: readonly Dim[]): TensorType => ({ dtype, shape });

const infer = (name: string, inputs: readonly TensorType[], attributes: Attributes = {}): string =>
  find(name).infer(inputs, attributes).map(formatType).join(" ");

const one = {
  strides: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
  lhs_dilation: [1, 1],
  rhs_dilation: [1, 1],
};
const nhwc = { ...one, layout: "b01f,01io->b01f", groups: 1, batch_groups: 1 };

describe("free sizes", () => {
  test.each<[string, TensorType[], Attributes, string]>([
    ["add", [f32(N, 3), f32()], {}, "f32[N, 3]"],
    ["compare", [f32(N), f32(N)], { direction: "lt" }, "bool[N]"],
    ["reduce", [f32(N, 3, T)], { kind: "sum", axes: [0, 2] }, "f32[3]"],
    ["reshape", [f32(N, 7, 7, 64)], { shape: [N, 3136] }, "f32[N, 3136]"],
    ["reshape", [f32(N, T, 8)], { shape: [multiplyDims(N, T), 8] }, "f32[N*T, 8]"],
    ["broadcast", [f32(8)], { shape: [N, 8], axes: [1] }, "f32[N, 8]"],
    ["slice", [f32(N, T)], { start: [0, 1], limit: [N, T], stride: [1, 1] }, "f32[N, T - 1]"],
    ["slice", [f32(T)], { start: [0], limit: [T], stride: [2] }, "f32[floor((T + 1)/2)]"],
    ["pad", [f32(T)], { low: [1], high: [2], interior: [1], value: 0 }, "f32[2*T + 2]"],
    ["concatenate", [f32(N, 2), f32(N, T)], { axis: 1 }, "f32[N, T + 2]"],
    ["dot", [f32(N, 784), f32(784, 10)], { batch: [[], []], contract: [[1], [0]] }, "f32[N, 10]"],
    ["gather", [f32(65, 32), typed("i32", N, T)], { axis: 0, batch: 0 }, "f32[N, T, 32]"],
    ["gather", [f32(N, 10), typed("i32", N)], { axis: 1, batch: 1 }, "f32[N]"],
    ["convolution", [f32(N, 28, 28, 1), f32(3, 3, 1, 32)], nhwc, "f32[N, 26, 26, 32]"],
    ["convolution", [f32(N, T, 28, 1), f32(3, 3, 1, 32)], nhwc, "f32[N, T - 2, 26, 32]"],
    [
      "reduce_window",
      [f32(N, 13, 13, 64)],
      {
        kind: "max",
        window: [1, 2, 2, 1],
        strides: [1, 2, 2, 1],
        padding: [
          [0, 0],
          [0, 0],
          [0, 0],
          [0, 0],
        ],
        dilation: [1, 1, 1, 1],
      },
      "f32[N, 6, 6, 64]",
    ],
    ["size_of", [], { dim: [addDims(N, 1)] }, "i32[]"],
    ["gradient", [f32(), f32(N, 2), f32(3)], {}, "f32[N, 2] f32[3]"],
  ])("%s of %j", (name, inputs, attributes, result) => {
    expect(infer(name, inputs, attributes)).toBe(result);
  });
});

describe("what does not fit is named", () => {
  test.each<[string, TensorType[], Attributes, RegExp, number | undefined]>([
    ["add", [f32(2, 3), f32(3)], {}, /one shape, not f32\[2, 3\] and f32\[3\]/, 1],
    ["add", [f32(2), typed("i32", 2)], {}, /one element type, not f32\[2\] and i32\[2\]/, 1],
    ["add", [typed("bool", 2), typed("bool", 2)], {}, /takes numbers, not bool\[2\]/, 0],
    ["sqrt", [typed("i32", 2)], {}, /floating-point numbers, not i32\[2\]/, 0],
    ["select", [f32(2), f32(2), f32(2)], {}, /truth values \(bool\), not f32\[2\]/, 0],
    ["reduce", [f32(2)], { kind: "sum", axes: [1] }, /f32\[2\] has no axis 1/, 0],
    ["reduce", [f32(2, 2)], { kind: "sum", axes: [1, 1] }, /named twice in \[1, 1\]/, 0],
    ["reshape", [f32(N, 6)], { shape: [N, 7] }, /f32\[N, 6\] has 6\*N elements.*\[N, 7\] has 7\*N/, 0],
    ["transpose", [f32(2, 3)], { permutation: [0] }, /does not name every axis/, 0],
    ["broadcast", [f32(2)], { shape: [3, 4], axes: [0] }, /axis 0 of f32\[2\] does not fit axis 0 of \[3, 4\]/, 0],
    ["slice", [f32(4)], { start: [1], limit: [5], stride: [1] }, /1 to 5 does not lie in axis 0 of f32\[4\]/, 0],
    ["pad", [f32(2)], { low: [-2], high: [-1], interior: [0], value: 0 }, /more is cropped than axis 0/, 0],
    ["concatenate", [f32(2, 3), f32(3, 3)], { axis: 1 }, /differs from f32\[2, 3\] in more than axis 1/, 1],
    ["constant", [], { values: [1, 2], shape: [3], dtype: "f32" }, /2 values do not fill the shape \[3\]/, undefined],
    ["random_bits", [f32(2)], { shape: [3], stream: 0 }, /key i32\[2\], not f32\[2\]/, 0],
    ["dot", [f32(N, 784), f32(128, 10)], { batch: [[], []], contract: [[1], [0]] }, /differ: 784 and 128/, 1],
    ["dot", [f32(2), f32(2)], { batch: [[]], contract: [[0], [0]] }, /two lists of axes/, undefined],
    ["gather", [f32(5), f32(2)], { axis: 0, batch: 0 }, /takes integers, not f32\[2\]/, 1],
    ["gather", [f32(3, 5), typed("i32", 4)], { axis: 1, batch: 1 }, /differ: 3 and 4/, 1],
    ["convolution", [f32(N, 28, 28, 3), f32(3, 3, 1, 32)], nhwc, /differ: 3 and 1/, 1],
    ["convolution", [f32(N, 2, 2, 1), f32(3, 3, 1, 32)], nhwc, /a window of 3 does not fit into an axis of 2/, 0],
    ["convolution", [f32(N, 9, 1), f32(3, 1, 32)], nhwc, /f32\[N, 9, 1\] does not fit the layout/, 0],
    ["convolution", [f32(), f32()], { ...nhwc, layout: "NHWC" }, /not of the form "b01f,01io->b01f"/, undefined],
    [
      "convolution",
      [f32(), f32()],
      { ...nhwc, layout: "b00f,01io->b01f" },
      /"b00f".*must name b, f, 0, 1 once/,
      undefined,
    ],
    ["convolution", [f32(N, 8, 8, 4), f32(3, 3, 2, 3)], { ...nhwc, groups: 2 }, /do not divide by 2 groups/, 1],
    ["gradient", [f32(2), f32(2)], {}, /scalar, not of f32\[2\]/, 0],
    ["gradient", [f32(), typed("i32", 2)], {}, /with respect to i32\[2\]/, 1],
  ])("%s of %j", (name, inputs, attributes, message, operand) => {
    try {
      infer(name, inputs, attributes);
    } catch (error) {
      if (!(error instanceof InferenceError)) throw error;
      expect(error.message).toMatch(message);
      expect(error.operand).toBe(operand);
      return;
    }
    expect.fail("nothing was said");
  });
});
