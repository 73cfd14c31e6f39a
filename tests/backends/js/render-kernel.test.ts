import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dtypes } from "../../../src/ir/dtype.ts";
import { k } from "../../../src/ir/kernel/build.ts";
import {
  type CompareOp,
  compareOps,
  type Expr,
  type Kernel,
  type Stmt,
  type UnaryOp,
} from "../../../src/ir/kernel/types.ts";
import { binariesOf, constantsOf, randomKernel, unariesOf } from "../../ir/kernel/random.ts";
import { kernelOf } from "../../support/kernels.ts";
import { withoutApproximations } from "../approximate.ts";
import { runInterpreted, runRendered } from "./run-kernel.ts";

const i = k.variable("i", "index");

/** What has a helper of its own in place of Math's: before it is stored, wrong by less than a thousandth of a unit. */
const approximate = new Set<UnaryOp>(["exp", "tanh", "erf", "logistic"]);

describe("generated JavaScript gives the bits of the interpreter", () => {
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
    const check = (value: Expr): void => {
      const store = k.store(value.type === "bool" && dtype !== "bool" ? "truth" : "y", i, value);
      const kernel = kernelOf(buffers, [k.loop("i", pairs.length, [store])]);
      expect(runRendered(kernel, elements)).toEqual(runInterpreted(kernel, elements));
    };

    it.each(unariesOf(dtype).filter((op) => !approximate.has(op)))(`${dtype} %s`, (op) => check(k.unary(op, a)));
    it.each(unariesOf(dtype).filter((op) => approximate.has(op)))(`${dtype} %s, or the number beside it`, (op) => {
      const kernel = kernelOf(buffers, [k.loop("i", pairs.length, [k.store("y", i, k.unary(op, a))])]);
      const wanted = runInterpreted(kernel, elements).y!;
      runRendered(kernel, elements).y!.forEach((bits, at) => {
        if (!Object.is(bits, wanted[at])) expect(Math.abs(bits - wanted[at]!), `${op} ${elements.a[at]}`).toBe(1);
      });
    });
    it.each(binariesOf(dtype))(`${dtype} %s`, (op) => {
      check(k.binary(op, a, b));
      for (const value of values.slice(0, 4)) check(k.binary(op, a, k.constant(value, dtype)));
    });
    it.each<CompareOp>(compareOps)(`${dtype} %s`, (op) => {
      check(k.compare(op, a, b));
      check(k.select(k.compare(op, a, b), a, b));
      check(k.not(k.compare(op, a, b)));
    });
    it.each(dtypes)(`${dtype} from %s`, (from) => {
      const list = constantsOf(from);
      const kernel = kernelOf(
        [
          { name: "x", dtype: from, length: list.length, access: "read" },
          { name: "y", dtype, length: list.length, access: "write" },
        ],
        [k.loop("i", list.length, [k.store("y", i, k.convert(k.load("x", i, from), dtype))])],
      );
      const data = { x: list, y: list.map(() => 0) };
      expect(runRendered(kernel, data)).toEqual(runInterpreted(kernel, data));
    });
  }

  it("for random kernels of what is exact", () => {
    fc.assert(
      fc.property(randomKernel, ({ kernel, elements }) => {
        const exact = { ...kernel, body: kernel.body.map((s) => withoutApproximations(s, approximate)) };
        expect(runRendered(exact, elements)).toEqual(runInterpreted(exact, elements));
      }),
      { numRuns: 500 },
    );
  });

  it("for a tile of a matrix product with a free size, a scratch panel and a tail", () => {
    const kernel = matmul();
    for (const rows of [0, 1, 2, 3, 5]) {
      const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => Math.sin(n * 12.9898) * 3);
      const elements = { a: numbers(rows * 7), b: numbers(7 * 3), y: numbers(rows * 3) };
      const result = runRendered(kernel, elements, { N: rows });
      expect(result).toEqual(runInterpreted(kernel, elements, { N: rows }));
    }
  });

  it("for names that JavaScript keeps for itself", () => {
    const buffers: Kernel["buffers"] = [
      { name: "new", dtype: "f32", length: 4, access: "read" },
      { name: "f32", dtype: "f32", length: 4, access: "write" },
    ];
    const relu = k.maximum(k.load("new", k.variable("in", "index"), "f32"), k.constant(0, "f32"));
    const body = [
      k.loop("in", 4, [k.let("relu", relu), k.store("f32", k.variable("in", "index"), k.variable("relu", "f32"))]),
    ];
    const elements = { new: [-1, 2, Number.NaN, Number.NEGATIVE_INFINITY], f32: [9, 9, 9, 9] };
    expect(runRendered(kernelOf(buffers, body), elements)).toEqual(runInterpreted(kernelOf(buffers, body), elements));
  });
});

/** y[N, 3] = a[N, 7] · b[7, 3], two rows at a time. */
function matmul(): Kernel {
  const [N, n, p, j] = ["N", "n", "p", "j"].map((name) => k.variable(name, "index")) as [Expr, Expr, Expr, Expr];
  const f = (name: string): Expr => k.variable(name, "f32");
  const panel = k.loop("p", 7, [
    k.loop("j", 3, [k.store("panel", k.add(k.multiply(j, 7), p), k.load("b", k.add(k.multiply(p, 3), j), "f32"))]),
  ]);
  const tile = (rows: number): Stmt[] => {
    const each = <T>(make: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => make(row));
    return [
      ...each((row) => k.var(`c${row}`, k.constant(0, "f32"))),
      k.loop("p", 7, [
        k.let("w", k.load("panel", k.add(k.multiply(j, 7), p), "f32")),
        ...each((row) =>
          k.assign(
            `c${row}`,
            k.add(f(`c${row}`), k.multiply(k.load("a", k.add(k.multiply(k.add(n, row), 7), p), "f32"), f("w"))),
          ),
        ),
      ]),
      ...each((row) => k.store("y", k.add(k.multiply(k.add(n, row), 3), j), f(`c${row}`))),
    ];
  };
  const even = k.multiply(k.floordiv(N, 2), 2);
  return kernelOf(
    [
      { name: "a", dtype: "f32", length: { terms: [{ coefficient: 7, factors: ["N"] }] }, access: "read" },
      { name: "b", dtype: "f32", length: 21, access: "read" },
      { name: "y", dtype: "f32", length: { terms: [{ coefficient: 3, factors: ["N"] }] }, access: "write" },
    ],
    [
      k.alloc("panel", "f32", 21),
      panel,
      k.loop("n", even, [k.loop("j", 3, tile(2))], { step: 2, role: "m" }),
      k.loop("n", N, [k.loop("j", 3, tile(1))], { from: even, role: "m" }),
    ],
    ["N"],
  );
}
