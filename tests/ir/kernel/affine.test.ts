import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { symbol } from "../../../src/ir/dim.ts";
import { strideOf } from "../../../src/ir/kernel/affine.ts";
import { k } from "../../../src/ir/kernel/build.ts";
import { interpretKernel } from "../../../src/ir/kernel/interpret.ts";
import { printExpr } from "../../../src/ir/kernel/print.ts";
import type { Expr } from "../../../src/ir/kernel/types.ts";

const [i, j, N] = ["i", "j", "N"].map((name) => k.variable(name, "index")) as [Expr, Expr, Expr];
const x = k.variable("x", "f32");

describe("index arithmetic", () => {
  it.each<[Expr, string]>([
    [k.add(k.multiply(k.add(k.multiply(i, 28), j), N), 3), "N * i * 28 + N * j + 3"],
    [k.floordiv(k.add(k.multiply(i, 784), j), 784), "i + j // 784"],
    [k.floordiv(k.multiply(N, k.multiply(i, 4)), k.multiply(N, 2)), "i * 2"],
    [k.remainder(k.multiply(i, 28), 7), "0"],
    [k.remainder(k.add(k.multiply(i, 28), j), 28), "(i * 28 + j) % 28"],
    [k.subtract(k.add(i, 5), i), "5"],
    [k.subtract(1, k.add(i, j)), "1 - i - j"],
    [k.negate(k.subtract(i, 2)), "2 - i"],
    [k.minimum(k.add(i, 3), i), "i"],
    [k.lt(k.add(i, 3), k.add(i, 4)), "true"],
    [k.select(k.bool(false), i, j), "j"],
    [k.fromDim(symbol("N")), "N"],
  ])("%# gives the normal form", (expr, text) => {
    expect(printExpr(expr)).toBe(text);
  });

  it("leaves floating-point arithmetic as it is written, but for safe identities", () => {
    expect(printExpr(k.multiply(x, 0))).toBe("x * 0.0");
    expect(printExpr(k.add(x, 0))).toBe("x + 0.0");
    expect(printExpr(k.add(k.add(x, 1), 2))).toBe("x + 1.0 + 2.0");
    expect(printExpr(k.subtract(x, x))).toBe("x - x");
    expect(printExpr(k.add(x, -0))).toBe("x");
    expect(printExpr(k.multiply(x, 1))).toBe("x");
    expect(printExpr(k.subtract(x, 0))).toBe("x");
  });

  it("splits an index into stride and rest", () => {
    const parts = strideOf(k.add(k.multiply(k.add(k.multiply(i, 28), j), N), 3), "i")!;
    expect([printExpr(parts.coefficient), printExpr(parts.rest)]).toEqual(["N * 28", "N * j + 3"]);
    expect(strideOf(k.floordiv(i, 2), "i")).toBeUndefined();
    expect(strideOf(k.multiply(i, i), "i")).toBeUndefined();
  });

  it("keeps the value of any expression", () => {
    type Tree = readonly ["+" | "-" | "*" | "//" | "%" | "min" | "max", Tree, Tree] | number | "i" | "j";
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.integer({ min: -9, max: 9 }),
        fc.constantFrom<"i" | "j">("i", "j"),
        fc.tuple(fc.constantFrom("+", "-", "*", "min", "max"), tie("tree"), tie("tree")) as fc.Arbitrary<Tree>,
        fc.tuple(fc.constantFrom("//", "%"), tie("tree"), fc.integer({ min: 1, max: 6 })) as fc.Arbitrary<Tree>,
      ),
    }));
    const build = (t: Tree): Expr => {
      if (typeof t === "number") return k.index(t);
      if (t === "i" || t === "j") return k.variable(t, "index");
      const [op, a, b] = t;
      const make = {
        "+": k.add,
        "-": k.subtract,
        "*": k.multiply,
        "//": k.floordiv,
        "%": k.remainder,
        min: k.minimum,
        max: k.maximum,
      };
      return make[op](build(a), build(b));
    };
    const value = (t: Tree, at: Readonly<Record<"i" | "j", number>>): number => {
      if (typeof t === "number") return t;
      if (t === "i" || t === "j") return at[t];
      const [op, a, b] = [t[0], value(t[1], at), value(t[2], at)];
      switch (op) {
        case "+":
          return a + b;
        case "-":
          return a - b;
        case "*":
          return a * b;
        case "//":
          return Math.floor(a / b);
        case "%":
          return a % b;
        case "min":
          return Math.min(a, b);
        case "max":
          return Math.max(a, b);
      }
    };
    fc.assert(
      fc.property(tree, fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 }), (t, at, bt) => {
        fc.pre(Math.abs(value(t, { i: at, j: bt })) < 2 ** 30);
        const y = new Int32Array(1);
        interpretKernel(
          {
            name: "index",
            doc: "",
            location: undefined,
            sizes: ["i", "j"],
            buffers: [{ name: "y", dtype: "i32", length: 1, access: "write" }],
            body: [k.store("y", 0, k.convert(build(t), "i32"))],
            cost: { flops: 0, bytes: 0 },
          },
          { y },
          { i: at, j: bt },
        );
        expect(y[0]).toBe(value(t, { i: at, j: bt }) | 0);
      }),
      { numRuns: 500 },
    );
  });
});
