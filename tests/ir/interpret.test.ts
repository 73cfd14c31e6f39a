// The interpreter of graphs: free sizes, globals, updates, bodies, and what it says of inputs that do not fit.

import { describe, expect, it } from "vitest";
import { symbol } from "../../src/ir/dim.ts";
import { createGraphBuilder } from "../../src/ir/emit.ts";
import { makeNode } from "../../src/ir/graph.ts";
import { InterpretError, interpretGraph } from "../../src/ir/interpret.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { parseGraph, parseModule } from "../../src/ir/parse.ts";
import { solveSizes } from "../../src/ir/sizes.ts";

const tensor = (shape: number[], ...data: number[]): ReferenceTensor => ({
  dtype: "f32",
  shape,
  data: Float64Array.from(data),
});

const module = parseModule(`module @M {
  param @w: f32[2] ~ ones
  state @sum: f32[2] ~ zeros
  graph @train_step(%x: f32[N, 2]) -> (%mean: f32[2]) {
    %0: f32[N, 2] = broadcast(@w) {shape: [N, 2], axes: [1]}
    %1: f32[N, 2] = multiply(%x, %0)
    %2: f32[2] = reduce(%1) {kind: sum, axes: [0]}
    %3: i32[] = size_of() {dim: [N]}
    %4: f32[] = convert(%3) {dtype: f32}
    %5: f32[2] = divide(%2, %4)
    %6: f32[2] = add(@sum, %2)
    update @sum = %6
    return %5
  }
}
`);
const graph = module.graphs.get("train_step")!;
const globals = new Map([
  ["w", tensor([2], 1, 10)],
  ["sum", tensor([2], 100, 100)],
]);

describe("interpretGraph", () => {
  it("runs nodes, reads globals as they were, and gives updates", () => {
    const { outputs, updates } = interpretGraph(graph, { x: tensor([2, 2], 1, 2, 3, 4) }, globals);
    expect([...outputs.mean!.data]).toEqual([2, 30]);
    expect([...updates.get("sum")!.data]).toEqual([104, 160]);
    expect([...globals.get("sum")!.data]).toEqual([100, 100]);
  });

  it("runs one graph at any size", () => {
    expect([...interpretGraph(graph, { x: tensor([0, 2]) }, globals).updates.get("sum")!.data]).toEqual([100, 100]);
    expect([...interpretGraph(graph, { x: tensor([1, 2], 1, 2) }, globals).outputs.mean!.data]).toEqual([1, 20]);
  });

  it("rounds halves where they are stored, and not within a fusion", () => {
    const nodes = (x: string) => `%0: f16[2] = add(${x}, 0.0003)\n%1: f16[2] = subtract(%0, 1)`;
    const apart = parseGraph(`graph @g(%x: f16[2]) -> (%y: f16[2]) {\n${nodes("%x")}\nreturn %1\n}`);
    const together = parseGraph(`graph @g(%x: f16[2]) -> (%y: f16[2]) {
      %0: f16[2] = fusion(%x) {kind: loop}
        graph @body(%a: f16[2]) -> (%b: f16[2]) {
          ${nodes("%a")}
          return %1
        }
      return %0
    }`);
    const x: ReferenceTensor = { ...tensor([2], 1, 0), dtype: "f16" };
    // Around 1 halves are 2^-10 apart, below it 2^-11.
    expect([...interpretGraph(apart, { x }, new Map()).outputs.y!.data]).toEqual([0, -0.99951171875]);
    const [small] = interpretGraph(together, { x }, new Map()).outputs.y!.data;
    expect(Math.abs(small! - 0.0003)).toBeLessThan(2 ** -23);
    expect(Number.isInteger(small! * 2 ** 24)).toBe(true);
  });

  it("takes sizes that no input has", () => {
    const lone = parseGraph(
      "graph @g() -> (%y: i32[N]) {\n%0: i32[N] = iota() {shape: [N], axis: 0, dtype: i32}\nreturn %0\n}",
    );
    expect([...interpretGraph(lone, {}, new Map(), { N: 3 }).outputs.y!.data]).toEqual([0, 1, 2]);
    expect(() => interpretGraph(lone, {}, new Map())).toThrow("the size N is not known");
  });

  it("shows each node's results to an observer", () => {
    const seen: string[] = [];
    interpretGraph(graph, { x: tensor([1, 2], 1, 2) }, globals, {}, (node) => seen.push(node.op));
    expect(seen).toEqual(["broadcast", "multiply", "reduce", "size_of", "convert", "divide", "add"]);
  });

  it("runs the bodies of nodes", () => {
    const type = { dtype: "f32", shape: [symbol("N")] } as const;
    const inner = createGraphBuilder("body");
    const [a, b] = [inner.input("a", type), inner.input("b", type)];
    const sum = inner.emit.add(a, b);
    const body = inner.build([
      { name: "sum", value: sum },
      { name: "square", value: inner.emit.multiply(sum, sum) },
    ]);
    const outer = createGraphBuilder("g");
    const [x, y] = [outer.input("x", type), outer.input("y", type)];
    const node = makeNode("fusion", [y, x], { kind: "loop" }, [type, type], undefined, body);
    const built = { ...outer.build([{ name: "out", value: node.results[1]! }]), nodes: [node] };
    const { outputs } = interpretGraph(built, { x: tensor([2], 1, 2), y: tensor([2], 10, 20) }, new Map());
    expect([...outputs.out!.data]).toEqual([121, 484]);
  });

  it.each<[string, Record<string, ReferenceTensor>, string]>([
    ["a missing input", {}, "train_step takes an input x, which is not given"],
    [
      "an input of another element type",
      { x: { ...tensor([1, 2], 1, 2), dtype: "i32" } },
      "x holds i32, and should hold f32",
    ],
    ["an input of another rank", { x: tensor([2], 1, 2) }, "x has the shape [2], and should have [N, 2]"],
    ["an input of another size", { x: tensor([1, 3], 1, 2, 3) }, "x has the shape [1, 3], and should have [N, 2]"],
  ])("refuses %s", (_, inputs, message) => {
    expect(() => interpretGraph(graph, inputs, globals)).toThrow(message);
  });

  it("refuses globals that are missing or do not fit", () => {
    const x = tensor([1, 2], 1, 2);
    expect(() => interpretGraph(graph, { x }, new Map())).toThrow(new InterpretError("@w has no value"));
    expect(() => interpretGraph(graph, { x }, new Map([["w", tensor([3], 1, 2, 3)]]))).toThrow("@w is f32[3]");
  });
});

describe("solveSizes", () => {
  const n = symbol("N");
  const pair = (name: string, declared: (typeof n | number)[], given: number[]) => ({ name, declared, given });

  it("solves for sizes inside sums and products, in whatever order they come", () => {
    const doubled = parseGraph("graph @g(%a: f32[2*N + T], %b: f32[T - 1]) -> () {\n}").inputs;
    const pairs = doubled.map(({ name, type }, i) => ({ name, declared: type.shape, given: [[11], [4]][i]! }));
    expect(solveSizes(pairs)).toEqual({ N: 3, T: 5 });
  });

  it("names the axis that does not agree with the others", () => {
    expect(() => solveSizes([pair("a", [n], [3]), pair("b", [1, n], [1, 4])])).toThrow(
      "axis 1 of b is 4, and should be N = 3",
    );
  });

  it("does not take a fraction for a size", () => {
    const { inputs } = parseGraph("graph @g(%a: f32[2*N]) -> () {\n}");
    expect(solveSizes([{ name: "a", declared: inputs[0]!.type.shape, given: [3] }])).toEqual({});
  });
});
