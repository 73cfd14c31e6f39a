// Contractions of many shapes, with their gradients, as kernels for scalars and for vectors: odd sizes, few and many columns, rows
// that tiles leave, padding on all sides, operands in every order.

import { describe, expect, it } from "vitest";
import { defaultPipeline } from "../../src/compile.ts";
import { type Dim, symbol } from "../../src/ir/dim.ts";
import { createGraphBuilder } from "../../src/ir/emit.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import { callsIn } from "../../src/ir/kernel/program.ts";
import { wasmTarget } from "../../src/ir/target.ts";
import { lowerGraph } from "../../src/passes/lower/index.ts";
import { parsePipeline, runPipeline } from "../../src/passes/pipeline.ts";
import { randomInputs } from "../support/graphs.ts";
import { expectLowered, targets } from "../support/lowered.ts";

/** Tiles of threads are those of scalars, but for their widths: contractions on WebGPU are tested in tests/backends/wgsl. */
const ofVectors = targets.filter(({ groups }) => !groups);

const N = symbol("N");

/** Result and both gradients of an operation on two operands, or only the result. */
function graphOf(
  op: string,
  x: readonly Dim[],
  w: readonly Dim[],
  attributes: Parameters<ReturnType<typeof createGraphBuilder>["emit"]["value"]>[2],
): Graph {
  const builder = createGraphBuilder("test");
  const { emit } = builder;
  const [a, b] = [builder.input("x", { dtype: "f32", shape: x }), builder.input("w", { dtype: "f32", shape: w })];
  const y = emit.value(op, [a, b], attributes);
  const d = builder.input("d", y.type);
  const axes = y.type.shape.map((_, axis) => axis);
  const loss = emit.reduce("sum", emit.multiply(y, d), axes);
  const [dx, dw] = emit.node("gradient", [loss, a, b]);
  return builder.build([
    { name: "y", value: y },
    { name: "dx", value: dx! },
    { name: "dw", value: dw! },
  ]);
}

/** The product of two matrices, a bias for each column, and an activation. */
function productOf(x: readonly Dim[], w: readonly Dim[], attributes: Parameters<typeof graphOf>[3]): Graph {
  const builder = createGraphBuilder("test");
  const { emit } = builder;
  const [a, b] = [builder.input("x", { dtype: "f32", shape: x }), builder.input("w", { dtype: "f32", shape: w })];
  const y = emit.value("dot", [a, b], attributes);
  const bias = builder.input("bias", { dtype: "f32", shape: [y.type.shape[1]!] });
  const shifted = emit.add(y, emit.broadcast(bias, y.type.shape, [1]));
  return builder.build([{ name: "y", value: emit.value("maximum", [shifted, 0]) }]);
}

/** Compares the kernels of the whole pipeline with the meaning of the graph as it is. */
function check(graph: Graph, sizes: Readonly<Record<string, number>>): void {
  const module = { name: "test", doc: "", globals: new Map(), graphs: new Map([["test", graph]]) };
  const plain = runPipeline(module, parsePipeline("differentiate")).graphs.get("test")!;
  const planned = runPipeline(module, parsePipeline(defaultPipeline)).graphs.get("test")!;
  const inputs = randomInputs(plain, sizes, 3);
  const expected = interpretGraph(plain, inputs, new Map(), sizes);
  expectLowered(
    { graph: planned, inputs: new Map(Object.entries(inputs)), globals: new Map(), sizes },
    expected,
    ofVectors,
  );
}

interface Convolution {
  readonly batch?: Dim;
  readonly size: readonly [number, number];
  readonly channels: readonly [number, number];
  readonly window: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
  readonly groups?: number;
}

function convolution(given: Convolution): Graph {
  const { batch = N, size, channels, window, stride = 1, padding = 0, dilation = 1, groups = 1 } = given;
  const [inputs, outputs] = channels;
  return graphOf("convolution", [batch, ...size, inputs], [window, window, inputs / groups, outputs], {
    layout: "b01f,01io->b01f",
    strides: [stride, stride],
    padding: [
      [padding, padding],
      [padding, padding],
    ],
    lhs_dilation: [1, 1],
    rhs_dilation: [dilation, dilation],
    groups,
    batch_groups: 1,
  });
}

describe("convolutions as kernels", () => {
  it.each<Convolution>([
    { size: [7, 9], channels: [3, 8], window: 3 },
    { size: [7, 9], channels: [3, 8], window: 3, padding: 1 },
    { size: [9, 12], channels: [8, 13], window: 3, padding: 1 },
    { batch: 1, size: [6, 13], channels: [5, 12], window: 3, padding: 1 },
    { batch: 1, size: [11, 12], channels: [1, 16], window: 5, padding: 2 },
    { batch: 5, size: [8, 9], channels: [4, 4], window: 2 },
    { size: [11, 11], channels: [4, 7], window: 3, stride: 2, padding: 1 },
    { size: [11, 12], channels: [2, 8], window: 3, dilation: 2, padding: 2 },
    { size: [9, 9], channels: [12, 12], window: 3, padding: 1, groups: 12 },
    { batch: 1, size: [10, 9], channels: [6, 6], window: 3, stride: 2, padding: 1, groups: 6 },
    { size: [8, 8], channels: [4, 8], window: 3, padding: 1, groups: 2 },
    { size: [7, 8], channels: [9, 17], window: 1 },
    { size: [6, 6], channels: [16, 3], window: 3, padding: 1 },
    { batch: 16, size: [8, 7], channels: [6, 13], window: 3 },
    { batch: 16, size: [6, 6], channels: [12, 8], window: 1 },
    { batch: 2, size: [5, 19], channels: [1, 1], window: 3, padding: 1 },
    { size: [4, 12], channels: [1, 3], window: 3, dilation: 2, padding: 2 },
    { size: [5, 6], channels: [16, 1], window: 3, padding: 1 },
    { size: [8, 7], channels: [1, 21], window: 3, padding: 1 },
    { size: [7, 8], channels: [2, 18], window: 2, stride: 2 },
    { size: [6, 9], channels: [19, 19], window: 3, padding: 1, groups: 19 },
    { size: [7, 7], channels: [8, 8], window: 5, padding: 2, groups: 8 },
    { batch: 2, size: [8, 8], channels: [8, 8], window: 3, stride: 2, padding: 1, dilation: 2, groups: 8 },
    { batch: 2, size: [4, 21], channels: [3, 1], window: 3, padding: 1 },
    { size: [3, 22], channels: [3, 3], window: 3, padding: 1, groups: 3 },
    { size: [5, 39], channels: [1, 1], window: 3, padding: 1, stride: 2 },
    { batch: 1, size: [10, 11], channels: [3, 4], window: 4, stride: 3, padding: 2, dilation: 2 },
    { size: [8, 9], channels: [2, 3], window: 3, stride: 2, padding: 1, dilation: 2 },
    { batch: 1, size: [4, 26], channels: [1, 2], window: 2, stride: 2, dilation: 2, padding: 1 },
    // Rows of pixels so many that each is a part of the sum: those that padding leaves out are skipped.
    { batch: 2, size: [17, 18], channels: [9, 1], window: 3, padding: 1 },
    { batch: 1, size: [18, 17], channels: [5, 5], window: 3, padding: 1, groups: 5 },
    { batch: 2, size: [5, 36], channels: [6, 2], window: 3, stride: 2, padding: 1 },
  ])("%o", (given) => {
    const graph = convolution(given);
    for (const size of given.batch === undefined ? [1, 5] : [0]) check(graph, { N: size });
  });
});

describe("long sums with few results", () => {
  /** The sum of all but the last axis, or of all. */
  function sumOf(shape: readonly Dim[], kept = 1): Graph {
    const builder = createGraphBuilder("test");
    const x = builder.input("x", { dtype: "f32", shape });
    const sum = builder.emit.reduce(
      "sum",
      x,
      shape.slice(0, shape.length - kept).map((_, axis) => axis),
    );
    return builder.build([{ name: "y", value: builder.emit.value("maximum", [sum, 0]) }]);
  }

  it.each<readonly [string, Graph]>([
    ["of weights, with packed columns", convolution({ size: [8, 8], channels: [8, 8], window: 3 })],
    ["of weights, with padding", convolution({ size: [7, 7], channels: [8, 12], window: 3, padding: 1 })],
    ["of weights that rest on one channel", convolution({ size: [17, 17], channels: [1, 8], window: 3 })],
    ["of features in groups", convolution({ size: [20, 20], channels: [8, 8], window: 3, padding: 1, groups: 8 })],
    ["over rows", sumOf([N, 41, 40, 8])],
    ["over rows of few columns", sumOf([N, 60, 59, 3])],
    ["over everything", sumOf([N, 60, 49, 3], 0)],
    ["of weights, few channels", convolution({ size: [26, 27], channels: [1, 3], window: 3, padding: 1 })],
  ])("are cut into slices: %s", (_, graph) => {
    const module = { name: "test", doc: "", globals: new Map(), graphs: new Map([["test", graph]]) };
    const planned = runPipeline(module, parsePipeline(defaultPipeline)).graphs.get("test")!;
    const notes = callsIn(lowerGraph(planned, { target: wasmTarget({ fma: true }) }).program.steps).flatMap(
      ({ call }) => call.kernel.schedule ?? [],
    );
    expect(notes.filter((line) => /into \d+ slices/.test(line))).toHaveLength(1);
    // Fewer images than slices: some are empty.
    check(graph, { N: 3 });
  });
});

describe("products of matrices as kernels", () => {
  const shapes = [
    [1, 9, 33],
    [5, 17, 18],
    [13, 8, 8],
    [9, 40, 7],
    [33, 3, 4],
    [19, 7, 283],
    [6, 21, 1],
    [1, 64, 12],
    [1, 11, 1030],
    [3, 2, 3],
  ] as const;
  for (const [m, depth, n] of shapes) {
    it(`${m}×${depth}×${n}, operands in every order`, () => {
      for (const rows of [m, N]) {
        for (const [left, right] of [
          [1, 0],
          [1, 1],
          [0, 0],
          [0, 1],
        ] as const) {
          const x = left === 1 ? [rows, depth] : [depth, rows];
          const w = right === 0 ? [depth, n] : [n, depth];
          check(graphOf("dot", x, w, { batch: [[], []], contract: [[left], [right]] }), { N: m });
        }
      }
    });
  }

  const [K, M] = [symbol("K"), symbol("M")];

  // Blocks of sums of 256 terms, of 240 rows and of 64 columns: whole ones, more than one, and what they leave.
  it.each([
    [17, 40, 19],
    [24, 33, 72],
    [245, 32, 16],
    [16, 530, 18],
  ])("%i×%i×%i in blocks, sizes free", (m, depth, n) => {
    const attributes = { batch: [[], []], contract: [[0], [0]] };
    check(productOf([K, M], [K, N], attributes), { M: m, K: depth, N: n });
  });

  it("of long sums in blocks", () => {
    for (const [x, w, left, right] of [
      [[17, 2052], [2052, 18], 1, 0],
      [[2052, 17], [16, 2052], 0, 1],
    ] as const) {
      const graph = productOf(x, w, { batch: [[], []], contract: [[left], [right]] });
      check(graph, {});
    }
  });

  // Sums of several rows wait for the functions of them: in tiles with a panel and without, with rows and columns that tiles leave.
  it.each([
    [19, 12, 18],
    [33, 7, 16],
    [6, 5, 3],
  ])("%i×%i×%i with functions of the sums", (m, depth, n) => {
    for (const rows of [m, M]) {
      const builder = createGraphBuilder("test");
      const { emit } = builder;
      const x = builder.input("x", { dtype: "f32", shape: [rows, depth] });
      const w = builder.input("w", { dtype: "f32", shape: [depth, n] });
      const y = emit.value("dot", [x, w], { batch: [[], []], contract: [[1], [0]] });
      const [exponential, tanh] = [emit.value("exponential", [y], {}), emit.value("tanh", [y], {})];
      const graph = builder.build([
        { name: "e", value: exponential },
        { name: "p", value: emit.multiply(exponential, tanh) },
      ]);
      check(graph, rows === m ? {} : { M: m });
    }
  });

  it("of integers", () => {
    const builder = createGraphBuilder("test");
    const x = builder.input("x", { dtype: "i32", shape: [40, 70] });
    const w = builder.input("w", { dtype: "i32", shape: [70, 78] });
    const y = builder.emit.value("dot", [x, w], { batch: [[], []], contract: [[1], [0]] });
    check(builder.build([{ name: "y", value: y }]), {});
  });

  it("in batches", () => {
    const attributes = { batch: [[0], [0]], contract: [[2], [1]] };
    check(graphOf("dot", [3, 6, 10], [3, 10, 9], attributes), {});
    check(graphOf("dot", [N, 6, 10], [N, 10, 9], attributes), { N: 2 });
    const heads = {
      batch: [
        [0, 2],
        [0, 2],
      ],
      contract: [[3], [3]],
    };
    check(graphOf("dot", [N, 5, 2, 8], [N, 9, 2, 8], heads), { N: 2 });
  });
});
