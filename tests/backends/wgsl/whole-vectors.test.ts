// Which bindings hold vectors of four: what shows in the shaders, and what the analysis concludes from loops and pointers.

import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../src/backends/wgsl/bindings.ts";
import { renderPlan } from "../../../src/backends/wgsl/render.ts";
import { vectorBindings } from "../../../src/backends/wgsl/whole-vectors.ts";
import { compile } from "../../../src/compile.ts";
import { compileSource } from "../../../src/dsl/compile-source.ts";
import { k } from "../../../src/ir/kernel/build.ts";
import type { Expr, Stmt } from "../../../src/ir/kernel/types.ts";
import { webgpuTarget } from "../../../src/ir/target.ts";

const shadersOf = (columns: number): string => {
  const text = `model M(x: f32[N, 16]) -> (y: f32[N, ${columns}]) {\n  y = x |> dense(${columns}) |> relu\n}`;
  const { module } = compileSource({ name: "test.dlm", text }, () => undefined);
  const { programs } = compile(module!, { target: "webgpu", graphs: ["infer"] });
  return renderPlan(programs, webgpuTarget.groups!)
    .shaders.map(({ code }) => code)
    .join("\n");
};

it("weights are read as vectors where rows are whole vectors, and element by element elsewhere", () => {
  expect(shadersOf(16)).toContain("kernel: array<vec4f>");
  expect(shadersOf(18)).not.toContain("array<vec4f>");
});

describe("divisors", () => {
  const bindings = (from: number): Bindings => ({
    storage: [{ root: "x", name: "x", access: "read", dtype: "f32", slice: { whole: "work" } }],
    buffers: new Map([["x", { root: "x", from }]]),
    starts: new Map(),
  });
  const isWhole = (body: readonly Stmt[], from = 0): boolean =>
    vectorBindings(body, bindings(from), new Map([["x", "f32"]])).has("x");
  const at = (name: string): Expr => k.variable(name, "index");
  const read = (index: Expr): Stmt => k.let("v", k.load("x", index, "f32x4"));

  it("follow sums, products and remainders", () => {
    const inLoop = (index: (i: Expr) => Expr, step = 1): readonly Stmt[] => [
      k.loop("i", k.index(64), (i) => [read(index(i))], { step }),
    ];
    expect(isWhole(inLoop((i) => k.multiply(i, 4)))).toBe(true);
    expect(isWhole(inLoop((i) => k.add(k.multiply(i, 8), 4)))).toBe(true);
    expect(isWhole(inLoop((i) => k.multiply(i, 6)))).toBe(false);
    expect(isWhole(inLoop((i) => k.add(k.multiply(i, 8), 2)))).toBe(false);
    expect(isWhole(inLoop((i) => i, 4))).toBe(true);
    expect(isWhole(inLoop((i) => i, 2))).toBe(false);
    expect(
      isWhole(
        inLoop((i) => k.multiply(i, 4)),
        2,
      ),
    ).toBe(false);
    expect(
      isWhole(
        inLoop((i) => k.multiply(i, 4)),
        8,
      ),
    ).toBe(true);
  });

  it("follow pointers that loops move on", () => {
    const moved = (by: number): readonly Stmt[] => [
      { kind: "var", name: "p", value: k.index(0) },
      k.loop("i", k.index(8), () => [read(at("p")), { kind: "assign", name: "p", value: k.add(at("p"), by) }]),
    ];
    expect(isWhole(moved(12))).toBe(true);
    expect(isWhole(moved(6))).toBe(false);
  });

  it("give way to a single element that is read", () => {
    expect(isWhole([read(k.index(4)), k.let("s", k.load("x", k.index(4), "f32"))])).toBe(false);
  });
});
