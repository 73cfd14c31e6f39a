// Gradients of whole graphs against central differences, first and second ones, and the forms in which they are asked
// for.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Sizes } from "../../src/ir/dim.ts";
import { createEmit } from "../../src/ir/emit.ts";
import type { Graph, Module, Node, Value } from "../../src/ir/graph.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { parseModule } from "../../src/ir/parse.ts";
import { parseExpression } from "../../src/ir/parse-expression.ts";
import { verifyGraph } from "../../src/ir/verify.ts";
import { parsePipeline, runPipeline } from "../../src/passes/pipeline.ts";
import { createRandom, randomGlobals, randomInputs } from "../support/graphs.ts";
import { randomModule } from "../support/random-graph.ts";

const asModule = (graph: Graph): Module => ({
  name: "M",
  doc: "",
  globals: new Map(),
  graphs: new Map([[graph.name, graph]]),
});

const differentiated = (graph: Graph): Graph =>
  runPipeline(asModule(graph), parsePipeline("differentiate"), { verify: false }).graphs.get(graph.name)!;

/** The graph with more nodes behind it, and these outputs alone. */
function extend(graph: Graph, add: (emit: ReturnType<typeof createEmit>) => Readonly<Record<string, Value>>): Graph {
  const nodes: Node[] = [...graph.nodes];
  const outputs = add(
    createEmit(
      (node) => nodes.push(node),
      () => undefined,
    ),
  );
  return {
    name: graph.name,
    inputs: graph.inputs,
    nodes,
    outputs: Object.entries(outputs).map(([name, value]) => ({ name, value })),
    updates: [],
  };
}

const sumOf = (emit: ReturnType<typeof createEmit>, x: Value): Value =>
  emit.reduce(
    "sum",
    x,
    x.type.shape.map((_, axis) => axis),
  );

const wanted = ["x", "y", "s", "square", "unit"];

/** A smooth loss over the outputs of a random graph; tanh keeps it of moderate size. */
const withLoss = (graph: Graph): Graph =>
  extend(graph, (emit) => {
    const parts = graph.outputs.filter(({ value }) => value.type.dtype === "f32");
    const losses = parts.map(({ value }) => sumOf(emit, emit.value("tanh", [value])));
    return { loss: losses.reduce((a, b) => emit.add(a, b), emit.reduce("sum", graph.inputs[1]!, [0])) };
  });

/** Adds the gradients of the output `loss` with respect to some inputs, named after them. */
const withGradients = (graph: Graph): Graph =>
  extend(graph, (emit) => {
    const loss = graph.outputs[0]!.value;
    const targets = graph.inputs.filter(({ name }) => wanted.includes(name));
    const gradients = emit.node("gradient", [loss, ...targets]);
    return { loss, ...Object.fromEntries(targets.map(({ name }, i) => [name, gradients[i]!])) };
  });

/** The sum of squares of the gradients, as a gradient penalty has it: a loss whose gradient is of second order. */
const penaltyOf = (graph: Graph): Graph =>
  extend(graph, (emit) => {
    const [, ...gradients] = graph.outputs;
    const squares = gradients.map(({ value }) => sumOf(emit, emit.value("tanh", [emit.multiply(value, value)])));
    return { loss: squares.reduce((a, b) => emit.add(a, b)) };
  });

/** Compares gradients with central differences of fourth order along a random direction. */
function expectGradients(graph: Graph, sizes: Sizes, seed: number, step: number, tolerance: number): void {
  const inputs = randomInputs(graph, sizes, seed);
  const globals = randomGlobals(graph, sizes, seed + 1);
  const random = createRandom(seed + 2);
  const direction = Object.fromEntries(wanted.map((name) => [name, inputs[name]!.data.map(() => random() * 2 - 1)]));
  const lossAt = (t: number): number => {
    const moved = Object.entries(inputs).map(([name, tensor]): [string, ReferenceTensor] => [
      name,
      { ...tensor, data: tensor.data.map((value, i) => value + t * (direction[name]?.[i] ?? 0)) },
    ]);
    return interpretGraph(graph, Object.fromEntries(moved), globals, sizes).outputs.loss!.data[0]!;
  };
  const central = (h: number): number => (lossAt(h) - lossAt(-h)) / (2 * h);
  const coarse = central(2 * step);
  const expected = (4 * central(step) - coarse) / 3;
  const { outputs } = interpretGraph(graph, inputs, globals, sizes);
  let found = 0;
  for (const name of wanted)
    outputs[name]!.data.forEach((value, i) => {
      found += value * direction[name]![i]!;
    });
  // Where the differences themselves have not settled, the function bends too sharply at this point to be a judge.
  if (!Number.isFinite(expected) || Math.abs(expected - coarse) > 1e-3 * Math.max(1, Math.abs(expected))) return;
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(expected), Math.abs(found)));
}

describe("against central differences", () => {
  it("first derivatives of random graphs", () => {
    fc.assert(
      fc.property(
        randomModule({ kind: "smooth", steps: 12 }),
        fc.constantFrom<Sizes>({ N: 1 }, { N: 3 }),
        fc.nat(1000),
        (module, sizes, seed) => {
          const graph = differentiated(withGradients(withLoss(module.graphs.get("infer")!)));
          verifyGraph(graph);
          expectGradients(graph, sizes, seed, 1e-4, 1e-6);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("second derivatives of random graphs", () => {
    fc.assert(
      fc.property(randomModule({ kind: "smooth", steps: 6 }), fc.nat(1000), (module, seed) => {
        const first = withGradients(withLoss(module.graphs.get("infer")!));
        const graph = differentiated(withGradients(penaltyOf(first)));
        verifyGraph(graph);
        expectGradients(graph, { N: 3 }, seed, 1e-4, 1e-5);
      }),
      { numRuns: 200 },
    );
  });
});

const resultOf = (text: string, inputs: Record<string, number[]>): number[] => {
  const graph = differentiated(parseExpression(text));
  verifyGraph(graph);
  const tensors = graph.inputs.map(({ name, type }): [string, ReferenceTensor] => {
    const shape = type.shape.map(Number);
    return [name, { dtype: type.dtype, shape, data: Float64Array.from(inputs[name]!) }];
  });
  return [...interpretGraph(graph, Object.fromEntries(tensors), new Map()).outputs.result!.data];
};

describe("gradient", () => {
  it("of a power, three times over", () => {
    const cube = "multiply(multiply(%x: f32[], %x), %x)";
    expect(resultOf(`gradient(${cube}, %x)`, { x: [2] })).toEqual([12]);
    expect(resultOf(`gradient(gradient(${cube}, %x), %x)`, { x: [2] })).toEqual([12]);
    expect(resultOf(`gradient(gradient(gradient(${cube}, %x), %x), %x)`, { x: [2] })).toEqual([6]);
    expect(resultOf(`gradient(gradient(gradient(gradient(${cube}, %x), %x), %x), %x)`, { x: [2] })).toEqual([0]);
  });

  it("with respect to what the loss does not depend on is zero", () => {
    const text = "gradient(reduce(%x) {kind: sum, axes: [0, 1]}, %y: f32[3])";
    expect(resultOf(text, { x: [1, 2, 3, 4, 5, 6], y: [1, 2, 3] })).toEqual([0, 0, 0]);
  });

  it("with respect to the loss itself is one", () => {
    expect(resultOf("gradient(%x: f32[], %x)", { x: [5] })).toEqual([1]);
  });

  it("stops where it is told to, and at integers", () => {
    expect(resultOf("gradient(multiply(%x: f32[], stop_gradient(%x)), %x)", { x: [3] })).toEqual([3]);
    const counted = "gradient(multiply(%x: f32[], convert(convert(%x) {dtype: i32}) {dtype: f32}), %x)";
    expect(resultOf(counted, { x: [3.5] })).toEqual([3]);
  });

  it("of a scalar that is spread is the sum over its copies", () => {
    expect(
      resultOf("gradient(reduce(multiply(%x, %s: f32[])) {kind: sum, axes: [0, 1]}, %s)", {
        x: [1, 2, 3, 4, 5, 6],
        s: [1],
      }),
    ).toEqual([21]);
  });

  it("goes through an intermediate result and further", () => {
    const graph = extend(parseExpression("multiply(%x: f32[], 3)"), (emit) => {
      const x: Value = { kind: "input", name: "x", type: { dtype: "f32", shape: [] } };
      const middle = emit.multiply(x, 3);
      const loss = emit.multiply(middle, middle);
      const [toMiddle, toInput] = emit.node("gradient", [loss, middle, x]);
      return { toMiddle: toMiddle!, toInput: toInput! };
    });
    const x: ReferenceTensor = { dtype: "f32", shape: [], data: Float64Array.of(2) };
    const { outputs } = interpretGraph(differentiated(graph), { x }, new Map());
    expect([outputs.toMiddle!.data[0], outputs.toInput!.data[0]]).toEqual([12, 36]);
  });

  it("leaves no node that nobody asked for", () => {
    const graph = differentiated(
      parseExpression(
        "gradient(reduce(dot(%x, %w: f32[3, 4]) {batch: [[], []], contract: [[1], [0]]}) {kind: sum, axes: [0, 1]}, %w)",
      ),
    );
    expect(graph.nodes.filter((node) => node.op === "dot")).toHaveLength(2);
  });

  it("names the place and the node it belongs to", () => {
    const module = parseModule(`module @M {
  graph @g(%x: f32[]) -> (%y: f32[]) {
    %0: f32[] = tanh(%x)   // a.dlm:3:7 activation
    %1: f32[] = gradient(%0, %x)   // a.dlm:9:1
    return %1
  }
}
`);
    const graph = runPipeline(module, parsePipeline("differentiate")).graphs.get("g")!;
    const [tanh, ...added] = graph.nodes;
    expect(tanh!.location).toEqual({ file: "a.dlm", line: 3, column: 7, scope: "activation" });
    expect(added.length).toBeGreaterThan(0);
    for (const node of added) expect(node.location).toEqual({ ...tanh!.location, note: "gradient of tanh" });
  });

  it("is refused by the interpreter before it is expanded", () => {
    const x: ReferenceTensor = { dtype: "f32", shape: [], data: Float64Array.of(1) };
    expect(() => interpretGraph(parseExpression("gradient(tanh(%x: f32[]), %x)"), { x }, new Map())).toThrow(
      "run the pass `differentiate` first",
    );
  });
});
