// Operations against numbers worked out by hand, published, or computed to higher precision elsewhere.

import { describe, expect, test } from "vitest";
import { erf, roundNearestEven } from "../../../src/ir/math.ts";
import { threefry2x32 } from "../../../src/ir/threefry.ts";
import { evaluate, tensor } from "./support.ts";

const f32 = (shape: readonly number[], ...data: readonly number[]) => tensor("f32", shape, data);
const i32 = (shape: readonly number[], ...data: readonly number[]) => tensor("i32", shape, data);

describe("functions of one number", () => {
  // Abramowitz and Stegun, table 7.1, and erfc(3) to 17 digits.
  test.each([
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [-1, -0.8427007929497149],
    [10, 1],
  ])("erf(%d)", (x, y) => {
    expect(Math.abs(erf(x) - y)).toBeLessThanOrEqual(1e-15);
  });

  test("erf is smooth where the series gives way to the fraction", () => {
    const slope = (2 / Math.sqrt(Math.PI)) * Math.exp(-4);
    expect(Math.abs(erf(2 + 1e-9) - erf(2 - 1e-9) - slope * 2e-9)).toBeLessThanOrEqual(5e-16);
  });

  test.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, -0],
    [-1.5, -2],
    [-2.5, -2],
    [0.49999999999999994, 0],
    [-0.2, -0],
    [7, 7],
    [2251799813685248.5, 2251799813685248],
    [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    [Number.NaN, Number.NaN],
  ])("round_nearest_even(%d)", (x, y) => {
    expect(roundNearestEven(x)).toBe(y);
  });
});

describe("threefry", () => {
  // The known-answer tests of Random123, for Threefry-2x32 with 20 rounds.
  test.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [-1, -1],
      [-1, -1],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)("key %j, counter %j", (key, counter, words) => {
    expect(threefry2x32(key, counter)).toEqual(words.map((word) => word | 0));
  });

  test("random_bits takes word 0 at (position, stream)", () => {
    const bits = evaluate("random_bits", [i32([2], 0, 0)], { shape: [2, 2], stream: 0 });
    expect(bits.data[0]).toBe(0x6b200159);
    expect(bits.data[3]).toBe(threefry2x32([0, 0], [3, 0])[0]);
    expect(evaluate("random_bits", [i32([2], 0, 0)], { shape: [1], stream: 5 }).data[0]).toBe(
      threefry2x32([0, 0], [0, 5])[0],
    );
  });
});

describe("elementwise", () => {
  test("integers wrap", () => {
    expect([...evaluate("add", [i32([1], 2147483647), i32([1], 1)]).data]).toEqual([-2147483648]);
    // (2³¹ - 1)² = 2⁶² - 2³² + 1
    expect([...evaluate("multiply", [i32([1], 2147483647), i32([1], 2147483647)]).data]).toEqual([1]);
    expect([...evaluate("subtract", [tensor("u8", [1], [3]), tensor("u8", [1], [5])]).data]).toEqual([254]);
    expect([...evaluate("add", [tensor("i8", [1], [127]), tensor("i8", [1], [1])]).data]).toEqual([-128]);
  });

  test("division truncates and remainders have the sign of the dividend", () => {
    const [x, y] = [i32([4], 7, -7, 7, -7), i32([4], 2, 2, -2, -2)];
    expect([...evaluate("divide", [x, y]).data]).toEqual([3, -3, -3, 3]);
    expect([...evaluate("remainder", [x, y]).data]).toEqual([1, -1, 1, -1]);
    expect([...evaluate("remainder", [f32([2], 5.5, -5.5), f32([2], 2, 2)]).data]).toEqual([1.5, -1.5]);
  });

  test("powers of integers wrap", () => {
    // 3²⁰ = 3486784401 = 2³² - 808182895
    const powers = evaluate("power", [i32([4], 3, -2, -1, 2), i32([4], 20, 31, -3, -1)]);
    expect([...powers.data]).toEqual([-808182895, -2147483648, -1, 0]);
  });

  test("maxima pass NaN on", () => {
    expect([...evaluate("maximum", [f32([3], Number.NaN, 1, 2), f32([3], 1, Number.NaN, 5)]).data]).toEqual([
      Number.NaN,
      Number.NaN,
      5,
    ]);
  });

  test("scalars are spread", () => {
    expect([...evaluate("power", [f32([3], 1, 2, 3), f32([], 2)]).data]).toEqual([1, 4, 9]);
    expect([...evaluate("select", [tensor("bool", [2], [1, 0]), f32([], 9), f32([2], 1, 2)]).data]).toEqual([9, 2]);
  });

  test("conversion truncates and saturates", () => {
    const x = f32([5], 1.9, -1.9, 300, Number.NaN, -5);
    expect([...evaluate("convert", [x], { dtype: "u8" }).data]).toEqual([1, 0, 255, 0, 0]);
    expect([...evaluate("convert", [x], { dtype: "i32" }).data]).toEqual([1, -1, 300, 0, -5]);
    expect([...evaluate("convert", [i32([2], 300, -1)], { dtype: "u8" }).data]).toEqual([44, 255]);
  });

  test("bits", () => {
    expect([...evaluate("shift_right_logical", [i32([1], -1), i32([1], 28)]).data]).toEqual([15]);
    expect([...evaluate("not", [i32([1], 5)]).data]).toEqual([-6]);
    expect([...evaluate("not", [tensor("bool", [2], [0, 1])]).data]).toEqual([1, 0]);
  });
});

describe("reductions and windows", () => {
  const x = f32([2, 3], 1, 5, 2, 4, 0, 4);

  test("over axes", () => {
    expect([...evaluate("reduce", [x], { kind: "sum", axes: [0] }).data]).toEqual([5, 5, 6]);
    expect([...evaluate("reduce", [x], { kind: "product", axes: [1] }).data]).toEqual([10, 0]);
    expect([...evaluate("reduce", [x], { kind: "max", axes: [0, 1] }).data]).toEqual([5]);
    expect([...evaluate("argmax", [x], { axis: 1, kind: "max" }).data]).toEqual([1, 0]);
    expect([...evaluate("argmax", [x], { axis: 1, kind: "min" }).data]).toEqual([0, 1]);
  });

  test("over nothing", () => {
    expect([...evaluate("reduce", [f32([1, 0])], { kind: "max", axes: [1] }).data]).toEqual([Number.NEGATIVE_INFINITY]);
    expect([...evaluate("reduce", [f32([1, 0])], { kind: "product", axes: [1] }).data]).toEqual([1]);
  });

  test("over windows", () => {
    const line = f32([6], 1, 3, 3, 2, 5, 4);
    const window = { window: [3], strides: [2], padding: [[1, 0]], dilation: [1] };
    expect([...evaluate("reduce_window", [line], { kind: "max", ...window }).data]).toEqual([3, 3, 5]);
    expect([...evaluate("reduce_window", [line], { kind: "sum", ...window }).data]).toEqual([4, 8, 11]);
    const picked = [f32([6], 10, 20, 30, 40, 50, 60)];
    // The windows hold (-, 1, 3), (3, 3, 2), (2, 5, 4); of the equal 3s the first counts.
    expect([...evaluate("window_select", [line, ...picked], { kind: "max", ...window }).data]).toEqual([20, 20, 50]);
    expect([...evaluate("window_scatter", [line, f32([3], 1, 2, 4)], { kind: "max", ...window }).data]).toEqual([
      0, 3, 0, 0, 4, 0,
    ]);
  });
});

describe("movement", () => {
  const x = f32([2, 3], 1, 2, 3, 4, 5, 6);

  test("axes", () => {
    expect([...evaluate("transpose", [x], { permutation: [1, 0] }).data]).toEqual([1, 4, 2, 5, 3, 6]);
    expect([...evaluate("reverse", [x], { axes: [1] }).data]).toEqual([3, 2, 1, 6, 5, 4]);
    expect([...evaluate("broadcast", [f32([2, 1], 7, 8)], { shape: [2, 2], axes: [0, 1] }).data]).toEqual([7, 7, 8, 8]);
    expect([...evaluate("concatenate", [x, f32([2, 1], 9, 8)], { axis: 1 }).data]).toEqual([1, 2, 3, 9, 4, 5, 6, 8]);
  });

  test("slices and padding", () => {
    const line = f32([5], 1, 2, 3, 4, 5);
    expect([...evaluate("slice", [line], { start: [1], limit: [5], stride: [3] }).data]).toEqual([2, 5]);
    const pad = (low: number, high: number, interior: number): number[] => [
      ...evaluate("pad", [f32([3], 1, 2, 3)], { low: [low], high: [high], interior: [interior], value: 9 }).data,
    ];
    expect(pad(1, 2, 0)).toEqual([9, 1, 2, 3, 9, 9]);
    expect(pad(0, -1, 1)).toEqual([1, 9, 2, 9]);
    expect(pad(-1, 1, 1)).toEqual([9, 2, 9, 3, 9]);
  });

  test("gather clamps, scatter adds", () => {
    const table = f32([3, 2], 1, 2, 3, 4, 5, 6);
    const places = i32([3], 2, -1, 7);
    expect([...evaluate("gather", [table, places], { axis: 0, batch: 0 }).data]).toEqual([5, 6, 1, 2, 5, 6]);
    const updates = f32([3, 2], 1, 1, 10, 10, 100, 100);
    expect([...evaluate("scatter", [table, places, updates], { axis: 0, batch: 0, kind: "add" }).data]).toEqual([
      11, 12, 3, 4, 106, 107,
    ]);
    // One class of each row.
    expect([...evaluate("gather", [x, i32([2], 2, 0)], { axis: 1, batch: 1 }).data]).toEqual([3, 4]);
  });
});

describe("contractions", () => {
  test("matrix products", () => {
    const [a, b] = [f32([2, 2], 1, 2, 3, 4), f32([2, 2], 5, 6, 7, 8)];
    const dot = (lhs: number, rhs: number): number[] => [
      ...evaluate("dot", [a, b], { batch: [[], []], contract: [[lhs], [rhs]] }).data,
    ];
    expect(dot(1, 0)).toEqual([19, 22, 43, 50]);
    expect(dot(1, 1)).toEqual([17, 23, 39, 53]);
    expect([...evaluate("dot", [a, b], { batch: [[0], [0]], contract: [[1], [1]] }).data]).toEqual([17, 53]);
  });

  const convolve = (lhs: ReturnType<typeof f32>, kernel: ReturnType<typeof f32>, more: object): number[] => {
    const ones = lhs.shape.slice(2).map(() => 1);
    const defaults = { strides: ones, padding: ones.map(() => [0, 0]), lhs_dilation: ones, rhs_dilation: ones };
    return [...evaluate("convolution", [lhs, kernel], { ...defaults, groups: 1, batch_groups: 1, ...more }).data];
  };

  test("convolution does not reverse the kernel", () => {
    const image = f32([1, 3, 3, 1], 1, 2, 3, 4, 5, 6, 7, 8, 9);
    const kernel = f32([2, 2, 1, 1], 1, 2, 3, 4);
    // 1·1 + 2·2 + 3·4 + 4·5 = 37 at the top left.
    expect(convolve(image, kernel, { layout: "b01f,01io->b01f" })).toEqual([37, 47, 67, 77]);
  });

  test("strides, padding and dilations along a line", () => {
    const line = f32([1, 4, 1], 1, 2, 3, 4);
    const kernel = f32([2, 1, 1], 10, 1);
    const layout = "b0f,0io->b0f";
    expect(convolve(line, kernel, { layout, strides: [2], padding: [[1, 1]] })).toEqual([1, 23, 40]);
    expect(convolve(line, kernel, { layout, rhs_dilation: [3] })).toEqual([14]);
    // 1 0 2 0 3 0 4
    expect(convolve(line, kernel, { layout, lhs_dilation: [2] })).toEqual([10, 2, 20, 3, 30, 4]);
    expect(convolve(line, kernel, { layout, padding: [[-1, -1]] })).toEqual([23]);
  });

  test("groups divide the features, batch groups the batch", () => {
    const features = f32([1, 1, 4], 1, 2, 3, 4);
    const kernel = f32([1, 2, 2], 1, 10, 1, 100);
    // Output 0 reads inputs 0 and 1, output 1 reads 2 and 3.
    expect(convolve(features, kernel, { layout: "b0f,0io->b0f", groups: 2 })).toEqual([3, 430]);
    const batches = f32([4, 1, 1], 1, 2, 3, 4);
    expect(convolve(batches, f32([1, 1, 2], 1, 10), { layout: "b0f,0io->b0f", batch_groups: 2 })).toEqual([
      1, 30, 2, 40,
    ]);
  });
});
