// Runs lowered graphs by the interpreter of kernels, to compare them with the interpreter of graphs.

import { expect } from "vitest";
import { evaluateDim, multiplyDims, productOf, type Sizes } from "../../src/ir/dim.ts";
import { allocate, bytesOf, type DType, type TypedArray } from "../../src/ir/dtype.ts";
import type { Graph, TensorType } from "../../src/ir/graph.ts";
import { type Interpretation, interpretGraph } from "../../src/ir/interpret.ts";
import { interpretKernel } from "../../src/ir/kernel/interpret.ts";
import type { Step } from "../../src/ir/kernel/program.ts";
import { verifyKernel } from "../../src/ir/kernel/verify.ts";
import type { MemoryPlan, Place } from "../../src/ir/memory-plan.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { jsTarget, type Target, wasmTarget, webgpuTarget } from "../../src/ir/target.ts";
import { createKept, type Kept } from "../../src/passes/lower/ahead.ts";
import { type LoweredGraph, lowerGraph } from "../../src/passes/lower/index.ts";
import { randomGlobals, randomInputs } from "./graphs.ts";

/** Every result in a buffer of its own, alive for ever. */
export function trivialPlan(graph: Graph): MemoryPlan {
  const buffers: { bytes: MemoryPlan["buffers"][number]["bytes"]; first: number; last: number }[] = [];
  const results = graph.nodes.map((node) =>
    node.results.map(({ type }): Place => {
      buffers.push({
        bytes: multiplyDims(bytesOf[type.dtype], productOf(type.shape)),
        first: 0,
        last: graph.nodes.length,
      });
      return { kind: "arena", buffer: buffers.length - 1, offset: 0 };
    }),
  );
  return { buffers, results, inPlace: [] };
}

export type Tensors = ReadonlyMap<string, ReferenceTensor>;

type Held = TypedArray | Float64Array;

/**
 * Runs a program; results are outputs by name and new values of globals. Floats are held in float64, so that nothing is rounded
 * and mistakes are told from rounding. Buffers of the arena are arrays of their own, full of NaN at first.
 */
function runLowered(
  { program, ahead }: LoweredGraph,
  kept: Kept,
  inputs: Tensors,
  globals: Tensors,
  sizes: Sizes,
): { readonly outputs: Map<string, ReferenceTensor>; readonly globals: Map<string, ReferenceTensor> } {
  const arena = new Map<string, Held>();
  const held = (tensors: Tensors) =>
    new Map([...tensors].map(([name, { dtype, data }]) => [name, filled(dtype, data.length, data)]));
  const [inputArrays, globalArrays] = [held(inputs), held(globals)];
  for (const [name, { dtype, shape }] of kept.types)
    globalArrays.set(name, filled(dtype, evaluateDim(productOf(shape), {}), undefined));
  const arrayAt = (place: Place, dtype: DType): Held => {
    switch (place.kind) {
      case "arena": {
        const key = `${place.buffer} ${dtype}`;
        const bytes = evaluateDim(program.buffers[place.buffer]!.bytes, sizes);
        const array = arena.get(key) ?? filled(dtype, bytes / bytesOf[dtype], undefined);
        arena.set(key, array);
        return array;
      }
      case "input":
        return inputArrays.get(place.name)!;
      case "global":
        return globalArrays.get(place.name)!;
    }
  };
  const runSteps = (steps: readonly Step[], at: Sizes): void => {
    for (const step of steps) {
      if (step.kind === "loop") {
        const extent = evaluateDim(step.extent, at);
        for (let i = 0; i < extent; i++)
          runSteps(step.steps, { ...at, [step.index]: step.reversed ? extent - 1 - i : i });
        continue;
      }
      const { kernel, places } = step;
      verifyKernel(kernel);
      const buffers: Record<string, Held> = {};
      const offsets: Record<string, number> = {};
      kernel.buffers.forEach(({ name, dtype }, i) => {
        buffers[name] = arrayAt(places[i]!, dtype);
        offsets[name] = evaluateDim(places[i]!.offset, at);
      });
      interpretKernel(kernel, buffers, at, offsets);
    }
  };
  if (ahead) runSteps(ahead.steps, sizes);
  runSteps(program.steps, sizes);
  const read = (place: Place, type: TensorType): ReferenceTensor => {
    const shape = type.shape.map((dim) => evaluateDim(dim, sizes));
    const count = shape.reduce((a, b) => a * b, 1);
    const from = evaluateDim(place.offset, sizes);
    return {
      dtype: type.dtype,
      shape,
      data: Float64Array.from(arrayAt(place, type.dtype).subarray(from, from + count)),
    };
  };
  const outputs = new Map(program.outputs.map(({ name, type, place }) => [name, read(place, type)]));
  const copies = program.copies.map(({ target, source, length }) => {
    const type: TensorType = { dtype: globals.get(target)!.dtype, shape: [length] };
    return { target, value: read(source, type) };
  });
  const after = new Map<string, ReferenceTensor>();
  for (const [name, tensor] of globals)
    after.set(name, { ...tensor, data: Float64Array.from(globalArrays.get(name)!) });
  for (const { target, value } of copies) after.set(target, { ...after.get(target)!, data: value.data });
  return { outputs, globals: after };
}

function filled(dtype: DType, length: number, data: ArrayLike<number> | undefined): Held {
  const isFloat = dtype === "f32" || dtype === "f16";
  const array = isFloat ? new Float64Array(length).fill(Number.NaN) : allocate(dtype, length);
  if (data) array.set(data);
  return array;
}

/** Fails unless `actual` agrees with `expected`, relative to the largest element of either. */
export function expectClose(actual: ReferenceTensor, expected: ReferenceTensor, tolerance: number): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.dtype).toBe(expected.dtype);
  const scale = expected.data.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 1);
  expected.data.forEach((value, i) => {
    const got = actual.data[i]!;
    if (Object.is(got, value) || got === value) return;
    if (!(Math.abs(got - value) <= tolerance * scale)) {
      expect.fail(`element ${i} is ${got}, not ${value} (scale ${scale})\n${[...actual.data].slice(0, 20)}`);
    }
  });
}

/** The parts of a run that are compared: a graph, its inputs and globals. */
export interface Run {
  readonly graph: Graph;
  readonly inputs: Tensors;
  readonly globals: Tensors;
  readonly sizes: Sizes;
}

/** Scalars, vectors with all that passes do for them, and groups of threads. */
export const targets: readonly Target[] = [
  jsTarget,
  wasmTarget({ fma: true }),
  webgpuTarget,
  // So few threads share the work of sums that are as short as those of tests.
  { ...webgpuTarget, groups: { ...webgpuTarget.groups, threads: 2 } },
];

/** Fails unless the lowered graph (planned as it is, or trivially) gives what `expected` says. */
export function expectLowered(
  { graph, inputs, globals, sizes }: Run,
  expected: Interpretation,
  on: readonly Target[] = targets,
): void {
  const planned = graph.memory ? graph : { ...graph, memory: trivialPlan(graph) };
  for (const target of on) {
    const kept = createKept();
    const lowered = runLowered(lowerGraph(planned, { target, kept }), kept, inputs, globals, sizes);
    for (const { name } of graph.outputs) expectClose(lowered.outputs.get(name)!, expected.outputs[name]!, 1e-9);
    for (const [name, value] of expected.updates) expectClose(lowered.globals.get(name)!, value, 1e-9);
  }
}

/** Fails unless both graphs give the same, and the second gives it when lowered too, on random inputs. */
export function expectSameMeaning(before: Graph, after: Graph, sizes: Sizes, seed: number, given?: Tensors): void {
  const inputs = new Map(Object.entries(randomInputs(before, sizes, seed)));
  const globals = given ?? randomGlobals(before, sizes, seed + 1);
  const expected = interpretGraph(before, Object.fromEntries(inputs), globals, sizes);
  const reference = interpretGraph(after, Object.fromEntries(inputs), globals, sizes);
  for (const { name } of before.outputs) expectClose(reference.outputs[name]!, expected.outputs[name]!, 1e-9);
  for (const [name, value] of expected.updates) expectClose(reference.updates.get(name)!, value, 1e-9);
  expectLowered({ graph: after, inputs, globals, sizes }, expected);
}
