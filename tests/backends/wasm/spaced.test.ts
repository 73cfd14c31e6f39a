// Elements two or three apart, such as one channel of neighbouring pixels, are loaded as vectors and picked out of these.

import { describe, expect, it } from "vitest";
import { renderGraph } from "../../../src/backends/wasm/render.ts";
import { printModule } from "../../../src/backends/wasm/wat.ts";
import { type Compiled, compile, load, type TargetName } from "../../../src/compile.ts";
import { createGraphBuilder } from "../../../src/ir/emit.ts";
import type { Module } from "../../../src/ir/graph.ts";

interface Given {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  readonly groups: number;
}

/** A convolution whose operand is the last of the memory that the program has for inputs. */
function moduleOf({ inputs, outputs, stride, groups }: Given): Module {
  const builder = createGraphBuilder("main");
  const w = builder.input("w", { dtype: "f32", shape: [3, 3, inputs / groups, outputs] });
  const x = builder.input("x", { dtype: "f32", shape: [2, 9, 31, inputs] });
  const y = builder.emit.value("convolution", [x, w], {
    layout: "b01f,01io->b01f",
    strides: [stride, stride],
    padding: [
      [1, 1],
      [1, 1],
    ],
    lhs_dilation: [1, 1],
    rhs_dilation: [1, 1],
    groups,
    batch_groups: 1,
  });
  const graph = builder.build([{ name: "y", value: y }]);
  return { name: "test", doc: "", globals: new Map(), graphs: new Map([["main", graph]]) };
}

/** Whole numbers, whose sums are exact in any order. */
const numbers = (shape: readonly number[], seed: number) => ({
  dtype: "f32" as const,
  shape: [...shape],
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (((i + seed) * 7919) % 17) - 8),
});

const sourceOf = ({ programs, target: { fma } }: Compiled): string =>
  printModule(renderGraph(programs, "main", { fma }).functions, 1);

describe("convolutions over elements that lie apart", () => {
  it.each<Given>([
    { inputs: 1, outputs: 1, stride: 2, groups: 1 },
    { inputs: 3, outputs: 1, stride: 1, groups: 1 },
    { inputs: 3, outputs: 3, stride: 1, groups: 3 },
  ])("%o", (given) => {
    const result = (target: TargetName) => {
      const compiled = compile(moduleOf(given), { target });
      if (target === "wasm") expect(sourceOf(compiled)).toContain("i8x16.shuffle");
      const { inputs, outputs, groups } = given;
      const operands = { x: numbers([2, 9, 31, inputs], 1), w: numbers([3, 3, inputs / groups, outputs], 4) };
      return load(compiled).run("main", operands).y!;
    };
    expect(result("wasm")).toEqual(result("js"));
  });
});
