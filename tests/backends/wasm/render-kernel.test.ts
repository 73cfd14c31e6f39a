import { describe, expect, it } from "vitest";
import { type DType, dtypes } from "../../../src/ir/dtype.ts";
import { k } from "../../../src/ir/kernel/build.ts";
import {
  type BinaryOp,
  type CompareOp,
  compareOps,
  type Expr,
  type Kernel,
  type Stmt,
  type UnaryOp,
} from "../../../src/ir/kernel/types.ts";
import { binariesOf, constantsOf, unariesOf } from "../../ir/kernel/random.ts";
import { distance, runCompiled, runInterpreted } from "./run-kernel.ts";

const kernelOf = (buffers: Kernel["buffers"], body: readonly Stmt[], sizes: readonly string[] = []): Kernel => ({
  name: "test",
  doc: "",
  location: undefined,
  sizes,
  buffers,
  body,
  cost: { flops: 0, bytes: 0 },
});
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
  "rsqrt",
  "power",
  "atan2",
]);
const allowed = (op: UnaryOp | BinaryOp): number => (approximate.has(op) ? 4 : 0);

describe("generated WebAssembly gives what the interpreter gives", () => {
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
