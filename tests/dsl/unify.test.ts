// The solver for sizes in signatures: linear equations, spreads, and what it says where there is no solution.

import { describe, expect, it } from "vitest";
import type { DimExpression } from "../../src/dsl/ast.ts";
import { UnifyError } from "../../src/dsl/linear-dims.ts";
import { parse } from "../../src/dsl/parse.ts";
import { solveShapes } from "../../src/dsl/unify.ts";
import { type Dim, formatDim, multiplyDims, symbol } from "../../src/ir/dim.ts";

/** The dimensions in `f32[…]`. */
function pattern(text: string): readonly DimExpression[] {
  const { program } = parse({ name: "t.dlm", text: `block f(x: f32${text}) = x` });
  const [block] = program.declarations;
  const type = block?.kind === "block" ? block.parameters[0]?.type : undefined;
  if (type?.kind !== "tensor") throw new Error(text);
  return type.dims;
}

function solve(shapes: Readonly<Record<string, readonly [string, readonly Dim[]]>>, known: Record<string, Dim> = {}) {
  const equations = Object.entries(shapes).map(([name, [text, actual]]) => ({ name, pattern: pattern(text), actual }));
  const bindings = solveShapes(equations, {
    known: (name) => known[name],
    evaluate: () => {
      throw new Error("nothing to evaluate");
    },
  });
  const text = (binding: Dim | readonly Dim[]): string =>
    typeof binding === "number" || "terms" in binding ? formatDim(binding) : `[${binding.map(formatDim).join(", ")}]`;
  return Object.fromEntries([...bindings].map(([name, binding]) => [name, text(binding)]));
}

const failure = (shapes: Parameters<typeof solve>[0], known?: Record<string, Dim>): string => {
  try {
    solve(shapes, known);
  } catch (error) {
    if (error instanceof UnifyError) return error.message;
    throw error;
  }
  return "no failure";
};

describe("solveShapes", () => {
  it("binds names and spreads", () => {
    expect(solve({ x: ["[...B, D]", [2, 3, 4]] })).toEqual({ B: "[2, 3]", D: "4" });
    expect(solve({ x: ["[...B, D]", [4]] })).toEqual({ B: "[]", D: "4" });
    expect(solve({ x: ["[N, ...S, C]", [symbol("N"), 8, 8, 3]] })).toEqual({ S: "[8, 8]", N: "N", C: "3" });
  });

  it("splits a shape with two spreads once one is known from elsewhere", () => {
    expect(solve({ x: ["[...A, ...B]", [2, 3, 4]], y: ["[...A]", [2]] })).toEqual({ A: "[2]", B: "[3, 4]" });
  });

  it("solves linear equations, free sizes among them", () => {
    const n = symbol("N");
    expect(solve({ x: ["[4 * H]", [32]] })).toEqual({ H: "8" });
    expect(solve({ x: ["[D / 4]", [n]] })).toEqual({ D: "4*N" });
    expect(solve({ x: ["[4 * H, T - 1]", [multiplyDims(8, n), 9]] })).toEqual({ H: "2*N", T: "10" });
  });

  it("solves several equations together", () => {
    expect(solve({ x: ["[A + B, A - B]", [7, 3]] })).toEqual({ A: "5", B: "2" });
    expect(solve({ x: ["[A * B]", [12]], y: ["[B]", [3]] })).toEqual({ A: "4", B: "3" });
  });

  it("names what does not fit", () => {
    expect(failure({ x: ["[N, 3]", [2]] })).toBe("x has 1 axis, and should have 2 axes");
    expect(failure({ x: ["[...B, D]", []] })).toBe("x has 0 axes, and should have at least 1 axis");
    expect(failure({ x: ["[N, 784]", [2, 10]] })).toBe("axis 1 of x is 10, and should be 784");
    expect(failure({ a: ["[N, D]", [2, 3]], b: ["[D, K]", [4, 5]] })).toBe("D is 3 in a and 4 in b");
    expect(failure({ x: ["[4 * H]", [30]] })).toBe("axis 0 of x is 30, and no whole H makes it 4 * H");
    expect(failure({ x: ["[units]", [30]] }, { units: 3 })).toBe("axis 0 of x is 30, and should be units = 3");
    expect(failure({ x: ["[...S]", [2, 3]], y: ["[...S]", [2, 4]] })).toBe("S is [2, 3] in x and [2, 4] in y");
    expect(failure({ x: ["[A * B]", [12]] })).toBe("the sizes in A * B cannot be told from 12 alone");
  });

  it("keeps free sizes apart", () => {
    expect(failure({ x: ["[N]", [symbol("N")]], y: ["[N]", [symbol("M")]] })).toBe("N is N in x and M in y");
  });
});
