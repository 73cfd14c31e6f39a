import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { symbol } from "../../../src/ir/dim.ts";
import { type DType, dtypes } from "../../../src/ir/dtype.ts";
import { k } from "../../../src/ir/kernel/build.ts";
import {
  type BinaryOp,
  type CompareOp,
  compareOps,
  type Expr,
  type Kernel,
  type UnaryOp,
} from "../../../src/ir/kernel/types.ts";
import { binariesOf, constantsOf, randomKernel, unariesOf } from "../../ir/kernel/random.ts";
import { kernelOf } from "../../support/kernels.ts";
import { withoutApproximations } from "../approximate.ts";
import { distance, runCompiled, runInterpreted } from "./run-kernel.ts";

const i = k.variable("i", "index");

/** Functions that are computed by polynomials: at most so many units in the last place from the right result. */
const approximate = new Set<UnaryOp | BinaryOp>([
  "exp",
  "expm1",
  "log",
  "log1p",
  "sin",
  "cos",
  "tan",
  "asin",
  "acos",
  "atan",
  "sinh",
  "cosh",
  "asinh",
  "acosh",
  "atanh",
  "tanh",
  "erf",
  "logistic",
  "rsqrt",
  "power",
  "atan2",
]);

const allowed = (op: UnaryOp | BinaryOp): number => (approximate.has(op) ? 4 : 0);

describe("generated WebAssembly gives what the interpreter gives", () => {
  it("for random kernels without transcendental functions, to the bit", () => {
    fc.assert(
      fc.property(randomKernel, ({ kernel, elements }) => {
        const exact = { ...kernel, body: kernel.body.map((s) => withoutApproximations(s, approximate)) };
        expect(distance(runCompiled(exact, elements), runInterpreted(exact, elements))).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it("adds the constant part of an address by hand where the rest may be negative", () => {
    // y[11 - i] lies at 44 - 4·i, and y begins at byte 0: with 44 as the immediate, -4·i would not be an address.
    const buffers: Kernel["buffers"] = [{ name: "y", dtype: "f32", length: 12, access: "write" }];
    const reversed = k.subtract(k.index(11), i);
    const body = [k.loop("i", 12, [k.store("y", reversed, k.convert(i, "f32"))])];
    const nested = [
      k.loop("o", 1, [k.loop("i", 12, [k.store("y", k.add(reversed, k.variable("o", "index")), k.convert(i, "f32"))])]),
    ];
    for (const statements of [body, nested]) {
      const kernel = kernelOf(buffers, statements);
      const elements = { y: Array.from({ length: 12 }, () => -1) };
      expect([...runCompiled(kernel, elements).y!]).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    }
  });

  it("reads nothing that a condition keeps from being read, whatever else decides it", () => {
    // x begins at byte 0, so that x[i - 1] lies outside of the memory for i = 0, and traps.
    const x = k.load("x", i, "f32");
    const before = k.load("x", k.subtract(i, 1), "f32");
    const inside = k.and(k.gt(i, 0), k.gt(x, 2));
    const buffers: Kernel["buffers"] = [
      { name: "x", dtype: "f32", length: 4, access: "read" },
      { name: "y", dtype: "f32", length: 4, access: "write" },
    ];
    const zero = k.constant(0, "f32");
    const direct = [k.store("y", i, k.select(inside, before, zero))];
    const named = [k.let("inside", inside), k.store("y", i, k.select(k.variable("inside", "bool"), before, zero))];
    for (const body of [direct, named]) {
      const kernel = kernelOf(buffers, [k.loop("i", 4, body)]);
      expect([...runCompiled(kernel, { x: [5, 1, 3, 4], y: [9, 9, 9, 9] }).y!]).toEqual([0, 0, 1, 3]);
    }
  });

  it("for scratch arrays, free sizes and empty loops", () => {
    const [N, n, j]: readonly Expr[] = ["N", "n", "j"].map((name) => k.variable(name, "index"));
    const kernel = kernelOf(
      [
        { name: "x", dtype: "f32", length: symbol("N"), access: "read" },
        { name: "y", dtype: "f32", length: symbol("N"), access: "write" },
      ],
      [
        k.alloc("kept", "f32", 3),
        k.alloc("seen", "i8", 5),
        k.loop("n", N!, [
          k.loop("j", 3, [k.store("kept", j!, k.add(k.load("x", n!, "f32"), k.convert(j!, "f32")))]),
          k.loop("j", 5, [k.store("seen", j!, k.convert(k.subtract(j!, 3), "i8"))]),
          k.var("sum", k.constant(0, "f32")),
          k.loop("j", 3, [k.assign("sum", k.add(k.variable("sum", "f32"), k.load("kept", j!, "f32")))]),
          k.store("y", n!, k.add(k.variable("sum", "f32"), k.convert(k.load("seen", 0, "i8"), "f32"))),
        ]),
      ],
      ["N"],
    );
    for (const size of [0, 1, 4]) {
      const x = Array.from({ length: size }, (_, at) => at * 1.5 - 2);
      expect([...runCompiled(kernel, { x, y: x }, { N: size }).y!]).toEqual(x.map((value) => 3 * value + 3 - 3));
    }
  });

  it("refuses loops whose lanes are not lifted", () => {
    const buffers: Kernel["buffers"] = [{ name: "y", dtype: "f32", length: 4, access: "write" }];
    const body = [k.loop("i", 4, [k.store("y", i, k.constant(1, "f32"))], { step: 4, lanes: 4 })];
    expect(() => runCompiled(kernelOf(buffers, body), { y: [0, 0, 0, 0] })).toThrow(
      "kernel test: the lanes of i are not lifted",
    );
  });

  for (const dtype of dtypes) {
    const values = constantsOf(dtype);
    const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
    const buffers: Kernel["buffers"] = [
      { name: "a", dtype, length: pairs.length, access: "read" },
      { name: "b", dtype, length: pairs.length, access: "read" },
      { name: "y", dtype, length: pairs.length, access: "write" },
      { name: "truth", dtype: "bool", length: pairs.length, access: "write" },
    ];
    const elements = {
      a: pairs.map(([a]) => a),
      b: pairs.map(([, b]) => b),
      y: pairs.map(() => 0),
      truth: pairs.map(() => 0),
    };
    const a = k.load("a", i, dtype);
    const b = k.load("b", i, dtype);
    const check = (value: Expr, most: number): void => {
      const store = k.store(value.type === "bool" && dtype !== "bool" ? "truth" : "y", i, value);
      const kernel = kernelOf(buffers, [k.loop("i", pairs.length, [store])]);
      expect(distance(runCompiled(kernel, elements), runInterpreted(kernel, elements))).toBeLessThanOrEqual(most);
    };

    it.each(unariesOf(dtype))(`${dtype} %s`, (op) => check(k.unary(op, a), allowed(op)));
    it.each(binariesOf(dtype))(`${dtype} %s`, (op) => {
      check(k.binary(op, a, b), allowed(op));
      for (const value of values.slice(0, 4)) check(k.binary(op, a, k.constant(value, dtype)), allowed(op));
    });
    it.each<CompareOp>(compareOps)(`${dtype} %s`, (op) => {
      check(k.compare(op, a, b), 0);
      check(k.select(k.compare(op, a, b), a, b), 0);
      check(k.not(k.compare(op, a, b)), 0);
    });
    it.each(dtypes)(`${dtype} from %s`, (from: DType) => {
      const list = constantsOf(from);
      const kernel = kernelOf(
        [
          { name: "x", dtype: from, length: list.length, access: "read" },
          { name: "y", dtype, length: list.length, access: "write" },
        ],
        [k.loop("i", list.length, [k.store("y", i, k.convert(k.load("x", i, from), dtype))])],
      );
      const data = { x: list, y: list.map(() => 0) };
      expect(distance(runCompiled(kernel, data), runInterpreted(kernel, data))).toBe(0);
    });
  }
});
