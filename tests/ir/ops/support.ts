// What the tests of operations share: operands from samples, graphs of one operation, and differences in float64.

import type { Attributes } from "../../../src/ir/attributes.ts";
import { allocate, isFloat, type TypedArray } from "../../../src/ir/dtype.ts";
import { createGraphBuilder, type GraphBuilder } from "../../../src/ir/emit.ts";
import type { Graph, Module, Value } from "../../../src/ir/graph.ts";
import { interpretGraph } from "../../../src/ir/interpret.ts";
import { interpretKernel } from "../../../src/ir/kernel/interpret.ts";
import { verifyKernel } from "../../../src/ir/kernel/verify.ts";
import type { Operation, ReferenceTensor, Sample, SampleTensor } from "../../../src/ir/op.ts";
import { operation } from "../../../src/ir/ops/index.ts";
import { countOf, numbersOf, wrap } from "../../../src/ir/reference.ts";
import { differentiate } from "../../../src/passes/graph/differentiate.ts";
import { createFresh } from "../../../src/passes/lower/names.ts";
import { lowerNode } from "../../../src/passes/lower/node.ts";
import { scalarTiles } from "../../../src/passes/schedule/tiles.ts";
import { toHalf } from "../../../src/util/half.ts";

/** Mulberry32: numbers in [0, 1) from a seed. */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const normalFrom = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** The elements that a sample asks for. */
export function drawTensor({ dtype, shape, distribution }: SampleTensor, random: () => number): ReferenceTensor {
  const count = countOf(shape);
  const draw = (element: (i: number) => number): ReferenceTensor => ({
    dtype,
    shape,
    data: Float64Array.from({ length: count }, (_, i) => wrap(dtype, element(i))),
  });
  switch (distribution.kind) {
    case "normal":
      return draw(() => normalFrom(random));
    case "uniform":
      return draw(() => distribution.low + (distribution.high - distribution.low) * random());
    case "integers":
      return draw(() => distribution.low + Math.floor((distribution.high - distribution.low + 1) * random()));
    case "values":
      return draw((i) => distribution.values[i]!);
    case "spaced": {
      // Odd multiples of 0.05, in random order, each moved by at most 0.01: neighbours differ by 0.08 at least.
      const order = Array.from({ length: count }, (_, i) => i);
      for (let i = count - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      return draw((i) => (order[i]! - Math.floor(count / 2) + 0.5) * 0.1 + (random() - 0.5) * 0.02);
    }
  }
}

export const tensor = (
  dtype: ReferenceTensor["dtype"],
  shape: readonly number[],
  data: readonly number[],
): ReferenceTensor => ({
  dtype,
  shape,
  data: Float64Array.from(data),
});

/** Runs one operation on tensors by its reference meaning. */
export function evaluate(
  name: string,
  inputs: readonly ReferenceTensor[],
  attributes: Attributes = {},
): ReferenceTensor {
  const op = find(name);
  const types = op.infer(inputs, attributes).map(({ dtype, shape }) => ({ dtype, shape: numbersOf(shape) }));
  return op.evaluate(inputs, attributes, types)[0]!;
}

export function find(name: string): Operation {
  const op = operation(name);
  if (!op) throw new Error(`no operation ${name}`);
  return op;
}

type Tensors = Record<string, ReferenceTensor>;

/** A graph with a scalar output `loss`, its inputs, and the tensors to run it on. */
export interface Case {
  readonly build: (builder: GraphBuilder, inputs: readonly Value[]) => Value;
  readonly names: readonly string[];
  readonly tensors: Tensors;
}

/** Σ weights · value over the results that are made of floats; the weights are inputs of the graph. */
function weigh(builder: GraphBuilder, values: readonly Value[], weights: readonly Value[]): Value {
  const { emit } = builder;
  return values
    .map((value, i) => emit.multiply(value, weights[i]!))
    .map((product) =>
      emit.reduce(
        "sum",
        product,
        product.type.shape.map((_, axis) => axis),
      ),
    )
    .reduce((a, b) => emit.add(a, b));
}

/** The operation on a sample, its results weighed at random. */
export function lossOf(op: Operation, sample: Sample<Attributes>, random: () => number): Case {
  const inputs = sample.inputs.map((given) => drawTensor(given, random));
  const results = op.infer(inputs, sample.attributes).filter((type) => isFloat(type.dtype));
  const weights = results.map(({ dtype, shape }) =>
    drawTensor({ dtype, shape: numbersOf(shape), distribution: { kind: "normal" } }, random),
  );
  const names = [...inputs.map((_, i) => `x${i}`), ...weights.map((_, i) => `w${i}`)];
  return {
    names,
    tensors: Object.fromEntries([...inputs, ...weights].map((value, i) => [names[i]!, value])),
    build: (builder, values) => {
      const made = builder.emit.node(op.name, values.slice(0, inputs.length), sample.attributes);
      const floats = made.filter((result) => isFloat(result.type.dtype));
      return weigh(builder, floats, values.slice(inputs.length));
    },
  };
}

/** The gradient of a case with respect to all its floats, weighed at random: its gradient is a second derivative. */
export function gradientOf(first: Case, random: () => number): Case {
  const floats = first.names.filter((name) => isFloat(first.tensors[name]!.dtype));
  const weights = floats.map((name) => [
    `v_${name}`,
    drawTensor({ dtype: "f32", shape: first.tensors[name]!.shape, distribution: { kind: "normal" } }, random),
  ]);
  const tensors: Tensors = { ...first.tensors, ...Object.fromEntries(weights) };
  return {
    names: Object.keys(tensors),
    tensors,
    build: (builder, values) => {
      const own = values.slice(0, first.names.length);
      const loss = first.build(builder, own);
      const wrt = own.filter((value) => isFloat(value.type.dtype));
      return weigh(builder, builder.emit.node("gradient", [loss, ...wrt]), values.slice(first.names.length));
    },
  };
}

function buildGraph(
  given: Case,
  outputs: (builder: GraphBuilder, loss: Value, inputs: readonly Value[]) => readonly Value[],
): Graph {
  const builder = createGraphBuilder("case");
  const inputs = given.names.map((name) => builder.input(name, given.tensors[name]!));
  const loss = given.build(builder, inputs);
  const graph = builder.build(outputs(builder, loss, inputs).map((value, i) => ({ name: `y${i}`, value })));
  const module: Module = { name: "Case", doc: "", globals: new Map(), graphs: new Map([["case", graph]]) };
  const context = { options: {}, recording: false, record: () => {} };
  return differentiate.run(module, context).graphs.get("case")!;
}

/** The loss of a case, and its gradients with respect to each of its floats, by name. */
export function runGradients(given: Case): { loss: number; gradients: Tensors } {
  const floats = given.names.filter((name) => isFloat(given.tensors[name]!.dtype));
  const graph = buildGraph(given, (builder, loss, inputs) => [
    loss,
    ...builder.emit.node("gradient", [loss, ...inputs.filter((value) => isFloat(value.type.dtype))]),
  ]);
  const { outputs } = interpretGraph(graph, given.tensors, new Map());
  return {
    loss: outputs.y0!.data[0]!,
    gradients: Object.fromEntries(floats.map((name, i) => [name, outputs[`y${i + 1}`]!])),
  };
}

/** Elements of a large tensor that are moved one by one; the others are moved all together, along a random direction. */
const singleElements = 6;

/**
 * Analytic and numeric derivatives of a case with respect to each of its floats: along a few single elements, and along a random
 * direction that moves every element.
 */
export function compareGradients(
  given: Case,
  random: () => number,
): { name: string; analytic: Float64Array; numeric: Float64Array }[] {
  const floats = given.names.filter((name) => isFloat(given.tensors[name]!.dtype));
  const forward = buildGraph(given, (_, loss) => [loss]);
  const backward = buildGraph(given, (builder, loss, inputs) =>
    builder.emit.node("gradient", [loss, ...inputs.filter((value) => isFloat(value.type.dtype))]),
  );
  const run = (graph: Graph, tensors: Tensors): Tensors => interpretGraph(graph, tensors, new Map()).outputs;
  const gradients = run(backward, given.tensors);
  return floats.map((name, at) => {
    const value = given.tensors[name]!;
    const gradient = gradients[`y${at}`]!.data;
    const unit = (i: number): Float64Array => new Float64Array(value.data.length).with(i, 1);
    const chosen = [...value.data.keys()].sort(() => random() - 0.5).slice(0, singleElements);
    const everywhere = value.data.map(() => 2 * random() - 1);
    const directions = [...chosen.map(unit), everywhere];
    const lossAt = (direction: Float64Array, t: number): number => {
      const moved = { ...value, data: value.data.map((x, i) => x + t * direction[i]!) };
      return run(forward, { ...given.tensors, [name]: moved }).y0!.data[0]!;
    };
    return {
      name,
      analytic: Float64Array.from(directions, (direction) =>
        gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0),
      ),
      numeric: Float64Array.from(directions, (direction) => centralDifference((t) => lossAt(direction, t))),
    };
  });
}

/** f'(0) with an error of order h⁴: (f(-2h) - 8f(-h) + 8f(h) - f(2h)) / 12h. */
function centralDifference(f: (t: number) => number): number {
  const h = 1e-3;
  return (f(-2 * h) - 8 * f(-h) + 8 * f(h) - f(2 * h)) / (12 * h);
}

/** The greatest difference, relative to the greatest magnitude of either list. */
export function relativeError(a: Float64Array, b: Float64Array): number {
  let [difference, scale] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]) || Number.isNaN(b[i])) return Number.NaN;
    difference = Math.max(difference, Math.abs(a[i]! - b[i]!));
    scale = Math.max(scale, Math.abs(a[i]!), Math.abs(b[i]!));
  }
  return scale < 1e-9 ? difference : difference / scale;
}

/** A reference tensor as a buffer of a kernel. */
function toBuffer({ dtype, data }: ReferenceTensor): TypedArray {
  switch (dtype) {
    case "f32":
      return Float32Array.from(data);
    case "i32":
      return Int32Array.from(data);
    case "i8":
      return Int8Array.from(data);
    case "u8":
    case "bool":
      return Uint8Array.from(data);
    case "f16":
      return Uint16Array.from(data, toHalf);
  }
}

/** The operation as a kernel of its own, run by the kernels' interpreter. */
export function runKernel(op: Operation, inputs: readonly ReferenceTensor[], attributes: Attributes) {
  const builder = createGraphBuilder("kernel");
  const values = inputs.map((type, i) => builder.input(`x${i}`, type));
  const [result] = builder.emit.node(op.name, values, attributes);
  const { kernel } = lowerNode(result!.node, { freshKernel: createFresh(new Set()), tiles: scalarTiles });
  verifyKernel(kernel);
  const { dtype, shape } = result!.type;
  const output = allocate(dtype, countOf(numbersOf(shape)));
  const buffers = kernel.buffers.map(
    ({ name }, i) => [name, i < inputs.length ? toBuffer(inputs[i]!) : output] as const,
  );
  interpretKernel(kernel, Object.fromEntries(buffers));
  return output;
}
