// Random operands for graphs, and comparison of what the interpreter gives.

import { expect } from "vitest";
import { evaluateDim, type Sizes } from "../../src/ir/dim.ts";
import { isFloat } from "../../src/ir/dtype.ts";
import type { Graph, TensorType, Value } from "../../src/ir/graph.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = (seed * 0x9e3779b9) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Floats in [-2, 2), integers in 0…4, random truth. */
export function randomTensor(type: TensorType, sizes: Sizes, random: () => number): ReferenceTensor {
  const shape = type.shape.map((dim) => evaluateDim(dim, sizes));
  const data = new Float64Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) {
    if (isFloat(type.dtype)) data[i] = random() * 4 - 2;
    else data[i] = Math.floor(random() * (type.dtype === "bool" ? 2 : 5));
  }
  return { dtype: type.dtype, shape, data };
}

export function randomInputs(graph: Graph, sizes: Sizes, seed: number): Record<string, ReferenceTensor> {
  const random = createRandom(seed);
  return Object.fromEntries(graph.inputs.map(({ name, type }) => [name, randomTensor(type, sizes, random)]));
}

/** Values for all parameters and states that a graph reads. */
export function randomGlobals(graph: Graph, sizes: Sizes, seed: number): Map<string, ReferenceTensor> {
  const random = createRandom(seed);
  const globals = new Map<string, ReferenceTensor>();
  const visit = (value: Value): void => {
    if (value.kind === "global" && !globals.has(value.name))
      globals.set(value.name, randomTensor(value.type, sizes, random));
  };
  for (const node of graph.nodes) node.inputs.forEach(visit);
  for (const { value } of [...graph.outputs, ...graph.updates]) visit(value);
  return globals;
}

/** Fails unless types agree and each element does, relative to the larger of the two and 1; NaN agrees with NaN. */
export function expectEqualTensors(actual: ReferenceTensor, expected: ReferenceTensor, tolerance: number): void {
  expect([actual.dtype, actual.shape]).toEqual([expected.dtype, expected.shape]);
  expected.data.forEach((value, i) => {
    const got = actual.data[i]!;
    if (got === value || (Number.isNaN(got) && Number.isNaN(value))) return;
    const scale = Math.max(1, Math.abs(value), Math.abs(got));
    if (!(Math.abs(got - value) <= tolerance * scale)) expect.fail(`element ${i} is ${got}, not ${value}`);
  });
}
