// Vectors in the kernel IR: text form, verifier, and what the interpreter says they mean.

import { describe, expect, it } from "vitest";
import { k } from "../../../src/ir/kernel/build.ts";
import { interpretKernel } from "../../../src/ir/kernel/interpret.ts";
import { parseKernel } from "../../../src/ir/kernel/parse.ts";
import { printKernel } from "../../../src/ir/kernel/print.ts";
import { findProblems } from "../../../src/ir/kernel/verify.ts";

const header =
  "kernel test(read x: f32[8], read n: i32[8], write y: f32[8], write m: i32[8], write t: bool[8]) cost 0 flops, 0 bytes";
const text = (body: string): string =>
  `${header} {\n${body
    .replace(/^\n/, "")
    .split("\n")
    .map((line) => `  ${line.replace(/^ {6}/, "")}\n`)
    .join("")}}\n`;

/** The buffers after a run on x = 1…8, n = 10…80. */
function run(body: string) {
  const kernel = parseKernel(text(body));
  expect(printKernel(kernel)).toBe(text(body));
  expect(findProblems(kernel)).toEqual([]);
  const buffers = {
    x: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    n: Int32Array.of(10, 20, 30, 40, 50, 60, 70, 80),
    y: new Float32Array(8),
    m: new Int32Array(8),
    t: new Uint8Array(8),
  };
  interpretKernel(kernel, buffers);
  return { y: [...buffers.y], m: [...buffers.m], t: [...buffers.t] };
}

describe("vectors", () => {
  it("load and store four consecutive elements", () => {
    expect(run("y[3] = load4(x[1])").y).toEqual([0, 0, 0, 2, 3, 4, 5, 0]);
  });

  it("compute lane by lane", () => {
    const { y, m, t } = run(`
      let a = load4(x[0])
      var b = splat(2.0)
      b = fma(a, b, vector(0.0, 100.0, 200.0, 300.0))
      y[0] = select(a < splat(3.0), b, -a)
      m[0] = i32x4(b) + load4(n[4])
      t[4] = a >= splat(2.0) & is_finite(b)`);
    expect(y.slice(0, 4)).toEqual([2, 104, -3, -4]);
    expect(m.slice(0, 4)).toEqual([52, 164, 276, 388]);
    expect(t).toEqual([0, 0, 0, 0, 0, 1, 1, 1]);
  });

  it("become scalars by lanes and by reductions", () => {
    const { y } = run(`
      let a = load4(x[4])
      y[0] = lane(a, 2)
      y[1] = reduce_add(a)
      y[2] = reduce_multiply(a)
      y[3] = reduce_minimum(a)
      y[4] = reduce_maximum(a)
      y[5] = f32(reduce_or(a > splat(7.5)))
      y[6] = f32(reduce_and(a > splat(7.5)))`);
    expect(y).toEqual([7, 26, 1680, 5, 8, 1, 0, 0]);
  });

  it("reduce lanes in the stated order", () => {
    // (x0 + x2) + (x1 + x3): the large ones meet before the small ones are lost.
    expect(run("y[0] = reduce_add(vector(1e+300, 1.0, -1e+300, 1.0))").y[0]).toBe(2);
  });

  it("loop bodies with lanes stand for four iterations", () => {
    const { y } = run(`
      for i in 0..8 step 4 lanes 4 over n {
        y[i] = x[i] * 2.0
      }`);
    expect(y).toEqual([2, 4, 6, 8, 10, 12, 14, 16]);
  });

  it.each([
    ["y[0] = load4(n[0])", "of type i32x4, not f32"],
    ["let a = load4(x[0]) + x[0]", "f32x4 and f32 meet"],
    ["let a = select(x[0] < 1.0, load4(x[0]), load4(x[4]))", "a condition of type bool"],
    ["let a = fma(n[0], n[0], n[0])", "fma of type i32"],
    ["let a = lane(load4(x[0]), 4)", "lane 4"],
    ["let a = reduce_and(load4(x[0]))", "and of type f32"],
    ["for i in 0..8 step 2 lanes 4 over n {\n}", "i has 4 lanes, and the step 2"],
  ])("%s is wrong", (body, problem) => {
    expect(findProblems(parseKernel(text(body))).join("; ")).toContain(problem);
  });

  it("constructors refuse what does not fit", () => {
    const vector = k.load("x", 0, "f32x4");
    expect(() => k.add(vector, k.load("x", 0, "f32"))).toThrow("add of f32x4 and f32");
    expect(() => k.convert(vector, "f32")).toThrow("conversion of f32x4 to f32");
    expect(() => k.select(k.bool(true), vector, vector)).toThrow("select of f32x4 by bool");
    expect(k.multiply(vector, 3)).toEqual(k.multiply(vector, k.splat(k.constant(3, "f32"))));
    expect(k.lane(k.splat(k.constant(3, "f32")), 1)).toEqual(k.constant(3, "f32"));
  });
});
