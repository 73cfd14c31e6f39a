// Gradients at the points where a definition had to be chosen: ties, kinks, zeros, constants. Elsewhere central differences
// decide (samples.test.ts).

import { describe, expect, test } from "vitest";
import { createGraphBuilder, type Emit } from "../../../src/ir/emit.ts";
import type { Graph, Module, Value } from "../../../src/ir/graph.ts";
import { interpretGraph } from "../../../src/ir/interpret.ts";
import type { ReferenceTensor } from "../../../src/ir/op.ts";
import { printGraph } from "../../../src/ir/print.ts";
import { differentiate } from "../../../src/passes/graph/differentiate.ts";
import { tensor } from "./support.ts";

type Build = (emit: Emit, values: readonly Value[]) => Value;

/** The gradient graph of the sum of `build`, with respect to all inputs. */
function gradientGraph(inputs: readonly ReferenceTensor[], build: Build): Graph {
  const builder = createGraphBuilder("case");
  const values = inputs.map((type, i) => builder.input(`x${i}`, type));
  const y = build(builder.emit, values);
  const loss = builder.emit.reduce(
    "sum",
    y,
    y.type.shape.map((_, axis) => axis),
  );
  const wrt = values.filter((value) => value.type.dtype === "f32");
  const gradients = builder.emit.node("gradient", [loss, ...wrt]);
  const graph = builder.build(gradients.map((value, i) => ({ name: `y${i}`, value })));
  const module: Module = { name: "Case", doc: "", globals: new Map(), graphs: new Map([["case", graph]]) };
  return differentiate.run(module, { options: {}, recording: false, record: () => {} }).graphs.get("case")!;
}

function gradients(inputs: readonly ReferenceTensor[], build: Build): number[][] {
  const named = Object.fromEntries(inputs.map((x, i) => [`x${i}`, x]));
  const { outputs } = interpretGraph(gradientGraph(inputs, build), named, new Map());
  return Object.values(outputs).map(({ data }) => [...data]);
}

const f32 = (shape: readonly number[], ...data: readonly number[]): ReferenceTensor => tensor("f32", shape, data);

describe("maximum", () => {
  test("against a constant has no gradient at the tie", () => {
    const x = f32([3], -1, 0, 2);
    expect(gradients([x], (e, [a]) => e.value("maximum", [a!, 0]))).toEqual([[0, 0, 1]]);
    expect(gradients([x], (e, [a]) => e.value("maximum", [0, a!]))).toEqual([[0, 0, 1]]);
    expect(gradients([x], (e, [a]) => e.value("maximum", [a!, e.full(0, a!.type)]))).toEqual([[0, 0, 1]]);
    expect(gradients([x], (e, [a]) => e.value("minimum", [a!, 0]))).toEqual([[1, 0, 0]]);
  });

  test("between tensors shares it", () => {
    const [x, y] = [f32([3], 1, 2, 3), f32([3], 1, 3, 2)];
    expect(gradients([x, y], (e, [a, b]) => e.value("maximum", [a!, b!]))).toEqual([
      [0.5, 0, 1],
      [0.5, 1, 0],
    ]);
  });
});

test("abs has none at 0", () => {
  expect(gradients([f32([3], -2, 0, 2)], (e, [x]) => e.value("abs", [x!]))).toEqual([[-1, 0, 1]]);
});

describe("reductions", () => {
  test("equal maxima share the gradient", () => {
    expect(gradients([f32([2, 3], 1, 3, 3, 5, 0, 2)], (e, [x]) => e.reduce("max", x!, [1]))).toEqual([
      [0, 0.5, 0.5, 1, 0, 0],
    ]);
  });

  test("a product with zeros", () => {
    const x = f32([3, 3], 2, 0, 3, 0, 0, 5, 1, 2, 4);
    expect(gradients([x], (e, [a]) => e.reduce("product", a!, [1]))).toEqual([[0, 6, 0, 0, 0, 0, 8, 4, 2]]);
  });

  test("the window's first maximum takes it all", () => {
    const window = { kind: "max", window: [2], strides: [2], padding: [[0, 0]], dilation: [1] };
    expect(gradients([f32([4], 3, 3, 1, 2)], (e, [x]) => e.value("reduce_window", [x!], window))).toEqual([
      [1, 0, 0, 1],
    ]);
  });
});

describe("power", () => {
  test("of a negative number to a whole literal", () => {
    expect(gradients([f32([3], -2, 0, 3)], (e, [x]) => e.power(x!, 3))).toEqual([[12, 0, 27]]);
    expect(gradients([f32([2], 0, 5)], (e, [x]) => e.power(x!, 0))).toEqual([[0, 0]]);
    expect(gradients([f32([2], 0, 5)], (e, [x]) => e.power(x!, 1))).toEqual([[1, 1]]);
  });

  test("at zero", () => {
    expect(gradients([f32([2], 0, 0), f32([2], 2, 0)], (e, [x, y]) => e.power(x!, y!))).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

test("nothing flows through stop_gradient, comparisons and integers", () => {
  const x = f32([2], 0.5, 2);
  expect(gradients([x], (e, [a]) => e.multiply(a!, e.value("stop_gradient", [a!])))).toEqual([[0.5, 2]]);
  expect(gradients([x], (e, [a]) => e.convert(e.compare("gt", a!, 1), "f32"))).toEqual([[0, 0]]);
  expect(gradients([x], (e, [a]) => e.convert(e.convert(a!, "i32"), "f32"))).toEqual([[0, 0]]);
});

describe("the gradient is made of the same operations as the forward pass", () => {
  const count = (graph: Graph, op: string): number => graph.nodes.filter((node) => node.op === op).length;

  test("of a matrix product: two more, and nothing is transposed", () => {
    const graph = gradientGraph([f32([3, 4]), f32([4, 5])], (e, [x, w]) =>
      e.value("dot", [x!, w!], { batch: [[], []], contract: [[1], [0]] }),
    );
    expect([count(graph, "dot"), count(graph, "transpose")]).toEqual([3, 0]);
  });

  test.each([
    ["plain", [3, 3, 4, 8], 1],
    ["depthwise", [3, 3, 1, 4], 4],
    ["depthwise with two outputs a channel", [3, 3, 1, 8], 4],
  ] as const)("of a convolution, %s: two more, and nothing is transposed", (_, kernel, groups) => {
    const attributes = {
      layout: "b01f,01io->b01f",
      strides: [2, 2],
      padding: [
        [1, 1],
        [1, 1],
      ],
      lhs_dilation: [1, 1],
      rhs_dilation: [1, 1],
      groups,
      batch_groups: 1,
    };
    const graph = gradientGraph([f32([2, 8, 8, 4]), f32(kernel)], (e, [x, w]) =>
      e.value("convolution", [x!, w!], attributes),
    );
    expect([count(graph, "convolution"), count(graph, "transpose")], printGraph(graph)).toEqual([3, 0]);
  });
});
