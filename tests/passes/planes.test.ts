// Convolutions over images of few channels, laid out by channel: what comes out stays what it is, forward and as a gradient of the kernel,
// and the copies that this takes are computed in vectors between their borders.

import { describe, expect, it } from "vitest";
import { type Dim, symbol } from "../../src/ir/dim.ts";
import { createGraphBuilder } from "../../src/ir/emit.ts";
import type { Graph, Module } from "../../src/ir/graph.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import { parsePipeline, runPipeline } from "../../src/passes/pipeline.ts";
import { expectEqualTensors, randomInputs } from "../support/graphs.ts";
import { expectLowered } from "../support/lowered.ts";

const N = symbol("N");
const sizes = { N: 2 };

interface Case {
  readonly size: number;
  readonly window: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride?: number;
  readonly dilation?: number;
  readonly low?: number;
  readonly high?: number;
  readonly groups?: number;
}

/** The result and the gradient of the kernel. */
function graphOf({
  size,
  window,
  inputs,
  outputs,
  stride = 1,
  dilation = 1,
  low = 2,
  high = 1,
  groups = 1,
}: Case): Graph {
  const builder = createGraphBuilder("test");
  const { emit } = builder;
  const batch: Dim = N;
  const x = builder.input("x", { dtype: "f32", shape: [batch, size - 1, size, inputs] });
  const w = builder.input("w", { dtype: "f32", shape: [window, window, inputs / groups, outputs] });
  const y = emit.value("convolution", [x, w], {
    layout: "b01f,01io->b01f",
    strides: [1, stride],
    padding: [
      [1, 2],
      [low, high],
    ],
    lhs_dilation: [1, 1],
    rhs_dilation: [1, dilation],
    groups,
    batch_groups: 1,
  });
  const loss = emit.reduce("sum", emit.multiply(y, y), [0, 1, 2, 3]);
  return builder.build([
    { name: "y", value: y },
    { name: "dw", value: emit.node("gradient", [loss, w])[0]! },
  ]);
}

function passed(graph: Graph, pipeline: string): Graph {
  const module: Module = { name: "test", doc: "", globals: new Map(), graphs: new Map([["test", graph]]) };
  return runPipeline(module, parsePipeline(pipeline)).graphs.get("test")!;
}

const layouts = (graph: Graph): readonly unknown[] =>
  graph.nodes.filter(({ op }) => op === "convolution").map(({ attributes }) => attributes.layout);

describe("images in planes", () => {
  it.each<Case>([
    { size: 12, window: 3, inputs: 3, outputs: 1 },
    { size: 13, window: 5, inputs: 1, outputs: 2 },
    { size: 12, window: 3, inputs: 3, outputs: 3, groups: 3 },
    { size: 18, window: 3, inputs: 2, outputs: 1, stride: 2 },
    { size: 19, window: 3, inputs: 2, outputs: 1, stride: 2, low: 3, high: 0 },
    { size: 27, window: 3, inputs: 2, outputs: 1, stride: 3 },
    { size: 24, window: 5, inputs: 1, outputs: 1, stride: 2, dilation: 2 },
    { size: 27, window: 3, inputs: 2, outputs: 2, groups: 2, stride: 2, dilation: 3, low: 0 },
    { size: 20, window: 5, inputs: 1, outputs: 2, dilation: 2, low: -1, high: 3 },
    // Fewer pixels in a window than phases: some phases are read by none.
    { size: 40, window: 9, inputs: 2, outputs: 1, stride: 4, dilation: 2, low: 5 },
  ])("%o", (given) => {
    const before = passed(graphOf(given), "differentiate");
    const after = passed(before, "lay-out-planes,eliminate-dead");
    expect(layouts(after)).not.toEqual(layouts(before));
    expect(layouts(after).filter((layout) => layout === "b01f,01io->b01f" || layout === "f01b,i01o->01bf")).toEqual([]);
    const inputs = randomInputs(before, sizes, 1);
    const expected = interpretGraph(before, inputs, new Map(), sizes);
    const actual = interpretGraph(after, inputs, new Map(), sizes);
    for (const [name, tensor] of Object.entries(expected.outputs))
      expectEqualTensors(actual.outputs[name]!, tensor, 1e-9);
  });

  it.each<Case>([
    // Vectors of channels, or windows that read each pixel only a few times.
    { size: 12, window: 3, inputs: 4, outputs: 3 },
    { size: 12, window: 3, inputs: 3, outputs: 4 },
    { size: 12, window: 2, inputs: 3, outputs: 1 },
    { size: 7, window: 5, inputs: 1, outputs: 1, low: 1 },
  ])("are not for %o", (given) => {
    const before = passed(graphOf(given), "differentiate");
    expect(layouts(passed(before, "lay-out-planes"))).toEqual(layouts(before));
  });
});

describe("padded copies as kernels", () => {
  it.each([
    { shape: [2, 9, 14, 3], order: [0, 3, 1, 2], low: [0, 0, 1, 2], high: [0, 0, 1, 1] },
    { shape: [2, 9, 21, 1], order: [0, 3, 1, 2], low: [0, 0, 0, 3], high: [0, 0, 0, 0] },
    { shape: [3, 16, 5], order: [0, 1, 2], low: [0, 1, 0], high: [0, 2, 0] },
    { shape: [17, 12], order: [1, 0], low: [1, 4], high: [-2, -3] },
    { shape: [40], order: [0], low: [-3], high: [5] },
  ])("%o", ({ shape, order, low, high }) => {
    const builder = createGraphBuilder("test");
    const x = builder.input("x", { dtype: "f32", shape });
    const y = builder.emit.value("pad", [builder.emit.transpose(x, order)], {
      low,
      high,
      interior: low.map(() => 0),
      value: -1,
    });
    const graph = builder.build([{ name: "y", value: y }]);
    const inputs = randomInputs(graph, {}, 1);
    const run = { graph, inputs: new Map(Object.entries(inputs)), globals: new Map(), sizes: {} };
    expectLowered(run, interpretGraph(graph, inputs, new Map(), {}));
  });

  // Results of phases, laid side by side.
  it.each([
    { shape: [3, 9, 1, 1], count: 2 },
    { shape: [2, 5, 1, 3], count: 3 },
    { shape: [13, 1, 6], count: 4 },
  ])("of $count × $shape side by side", ({ shape, count }) => {
    const builder = createGraphBuilder("test");
    const parts = Array.from({ length: count }, (_, i) => builder.input(`x${i}`, { dtype: "f32", shape }));
    const graph = builder.build([
      { name: "y", value: builder.emit.value("concatenate", parts, { axis: shape.length - 2 }) },
    ]);
    const inputs = randomInputs(graph, {}, 1);
    const run = { graph, inputs: new Map(Object.entries(inputs)), globals: new Map(), sizes: {} };
    expectLowered(run, interpretGraph(graph, inputs, new Map(), {}));
  });
});
