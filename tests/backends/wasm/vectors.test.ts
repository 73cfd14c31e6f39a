// Vector kernels, written by hand, as WebAssembly against the interpreter's vectors.

import { describe, expect, it } from "vitest";
import { enableRelaxedSimd } from "../../../src/backends/node/relaxed-simd.ts";
import { supportsRelaxedSimd } from "../../../src/backends/wasm/features.ts";
import { createLibrary } from "../../../src/backends/wasm/functions/library.ts";
import { renderKernel } from "../../../src/backends/wasm/render-kernel.ts";
import { printModule } from "../../../src/backends/wasm/wat.ts";
import { k } from "../../../src/ir/kernel/build.ts";
import { parseKernel } from "../../../src/ir/kernel/parse.ts";
import {
  compareOps,
  type Expr,
  type Kernel,
  laneReductions,
  scalarOf,
  type VectorType,
  vectorTypes,
} from "../../../src/ir/kernel/types.ts";
import { findProblems } from "../../../src/ir/kernel/verify.ts";
import { binariesOf, constantsOf, unariesOf } from "../../ir/kernel/random.ts";
import { distance, runCompiled, runInterpreted } from "./run-kernel.ts";

const values: Readonly<Record<VectorType, readonly number[]>> = {
  f32x4: constantsOf("f32"),
  i32x4: constantsOf("i32"),
  boolx4: constantsOf("bool"),
};

/** All pairs of special numbers, in whole vectors. */
function pairsOf(type: VectorType): readonly (readonly [number, number])[] {
  const pairs = values[type].flatMap((a) => values[type].map((b) => [a, b] as const));
  return pairs.slice(0, Math.floor(pairs.length / 4) * 4);
}

/** y = value(a, b) four elements at a time; truth goes to `t`. */
function check(type: VectorType, value: (a: Expr, b: Expr) => Expr, most = 0): void {
  const pairs = pairsOf(type);
  const length = pairs.length;
  const i = k.variable("i", "index");
  const dtype = scalarOf(type) === "f32" ? "f32" : scalarOf(type) === "i32" ? "i32" : "bool";
  const result = value(k.load("a", i, type), k.load("b", i, type));
  const to = { f32: "y", i32: "n", bool: "t" }[String(scalarOf(result.type))]!;
  const kernel: Kernel = {
    name: "vectors",
    doc: "",
    location: undefined,
    sizes: [],
    buffers: [
      { name: "a", dtype, length, access: "read" },
      { name: "b", dtype, length, access: "read" },
      { name: "y", dtype: "f32", length, access: "write" },
      { name: "n", dtype: "i32", length, access: "write" },
      { name: "t", dtype: "bool", length, access: "write" },
    ],
    body: [k.loop("i", length, [k.store(to, i, result)], { step: 4 })],
    cost: { flops: 0, bytes: 0 },
  };
  expect(findProblems(kernel)).toEqual([]);
  const zeros = pairs.map(() => 0);
  const elements = { a: pairs.map(([a]) => a), b: pairs.map(([, b]) => b), y: zeros, n: zeros, t: zeros };
  expect(distance(runCompiled(kernel, elements), runInterpreted(kernel, elements))).toBeLessThanOrEqual(most);
}

/** Units in the last place by which functions that are no instructions may be wrong. */
const exactUnaries = new Set(["negate", "not", "abs", "sign", "floor", "ceil", "round", "sqrt", "is_finite"]);
const exactBinaries = new Set(["power", "atan2"]);

describe("vector operations", () => {
  for (const type of vectorTypes) {
    const scalar = scalarOf(type);
    it.each(unariesOf(scalar))(`${type} %s`, (op) => {
      check(type, (a) => k.unary(op, a), exactUnaries.has(op) ? 0 : 4);
    });
    it.each(binariesOf(scalar))(`${type} %s`, (op) => {
      check(type, (a, b) => k.binary(op, a, b), scalar === "f32" && exactBinaries.has(op) ? 4 : 0);
    });
    it.each(compareOps)(`${type} %s`, (op) => {
      check(type, (a, b) => k.compare(op, a, b));
      check(type, (a, b) => k.select(k.compare(op, a, b), a, b));
    });
    it.each(vectorTypes)(`${type} to %s`, (to) => check(type, (a) => k.convert(a, to)));
    it.each([0, 1, 2, 3])(`${type} lane %d`, (lane) => check(type, (a, b) => k.splat(k.lane(k.maximum(a, b), lane))));
    it(`${type} of four scalars`, () => {
      check(type, (a, b) => k.vector([k.lane(a, 3), k.lane(b, 0), k.lane(a, 1), k.lane(b, 2)]));
    });
    const reductions = laneReductions.filter((op) => binariesOf(scalar).includes(op));
    it.each(reductions)(`${type} reduced by %s`, (op) => {
      check(type, (a, b) => k.splat(k.reduceLanes(op, k.maximum(a, b))));
    });
  }

  const limits = constantsOf("f32").map((value) => [Object.is(value, -0) ? "-0" : String(value), value] as const);
  it.each(limits)("f32x4 limited by %s", (_, value) => {
    check("f32x4", (a) => k.maximum(a, value));
    check("f32x4", (a) => k.minimum(k.constant(value, "f32x4"), a));
  });

  it("threefry of four counters", () => {
    check("i32x4", (a, b) => k.threefry([a, b], [b, a]));
  });
});

const text = `
/// sum of 2·x·w over each row, 0 where it is negative
/// at sums.dlm:2:7
kernel sums(N, read x: f32[N*6], read w: f32[6], write y: f32[N]) cost 0 flops, 0 bytes {
  let two = splat(2.0)
  for n in 0..N parallel over row {
    var sum = splat(0.0)
    for i in 0..4 step 4 over k {
      sum = fma(load4(x[n * 6 + i]), load4(w[i]) * two, sum)
    }
    var total = reduce_add(sum)
    for i_1 in 4..6 over k {
      total = total + x[n * 6 + i_1] * w[i_1] * 2.0
    }
    y[n] = select(total < 0.0, 0.0, total)
  }
}
`;

describe("a vector kernel with a tail", () => {
  const kernel = parseKernel(text);
  const rows = 5;
  const elements = {
    x: Array.from({ length: rows * 6 }, (_, i) => Math.sin(i * 12.9898) * 3),
    w: Array.from({ length: 6 }, (_, i) => Math.cos(i * 78.233)),
    y: Array.from({ length: rows }, () => -1),
  };

  it("gives the interpreter's bits without fused multiply-add", () => {
    const expected = runInterpreted(kernel, elements, { N: rows });
    expect(distance(runCompiled(kernel, elements, { N: rows }), expected)).toBe(0);
  });

  it("prints as text that a person can read", async () => {
    const { target } = renderKernel(kernel, kernel.name, createLibrary(true));
    await expect(printModule([target], 1)).toMatchFileSnapshot("golden/sums.wat");
  });

  it("differs by roundings alone where the engine fuses", () => {
    enableRelaxedSimd();
    if (!supportsRelaxedSimd()) return;
    const [fused, plain] = [true, false].map((fma) => runCompiled(kernel, elements, { N: rows }, fma).y!);
    fused!.forEach((value, i) => {
      // Four products below 6 in each sum.
      expect(Math.abs(value - plain![i]!)).toBeLessThanOrEqual(4 * 6 * 2 ** -24);
    });
  });
});
