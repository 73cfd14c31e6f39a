// Runs lowered graphs by the interpreter of kernels, to compare them with the interpreter of graphs.

import { expect } from "vitest";
import { evaluateDim, multiplyDims, productOf, type Sizes } from "../../src/ir/dim.ts";
import { allocate, bytesOf, type DType, type TypedArray } from "../../src/ir/dtype.ts";
import type { Graph, TensorType } from "../../src/ir/graph.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import { fromHalf, toHalf } from "../../src/ir/kernel/arithmetic.ts";
import { interpretKernel } from "../../src/ir/kernel/interpret.ts";
import type { Program } from "../../src/ir/kernel/program.ts";
import { verifyKernel } from "../../src/ir/kernel/verify.ts";
import type { MemoryPlan, Place } from "../../src/ir/memory-plan.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { lowerGraph } from "../../src/passes/lower/index.ts";
import { sampleTensor } from "./samples.ts";

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

/** Runs a program; results are outputs by name and new values of globals. Buffers of the arena are separate arrays. */
export function runLowered(
  program: Program,
  inputs: Tensors,
  globals: Tensors,
  sizes: Sizes,
): { readonly outputs: Map<string, ReferenceTensor>; readonly globals: Map<string, ReferenceTensor> } {
  const arena = program.buffers.map(({ bytes }) => new ArrayBuffer(evaluateDim(bytes, sizes) + 64));
  const held = (tensors: Tensors) => new Map([...tensors].map(([name, t]) => [name, toTyped(t)]));
  const [inputArrays, globalArrays] = [held(inputs), held(globals)];
  const arrayAt = (place: Place, dtype: DType): TypedArray => {
    switch (place.kind) {
      case "arena":
        return viewOf(arena[place.buffer]!, dtype);
      case "input":
        return inputArrays.get(place.name)!;
      case "global":
        return globalArrays.get(place.name)!;
    }
  };
  for (const { kernel, places } of program.calls) {
    verifyKernel(kernel);
    const buffers: Record<string, TypedArray> = {};
    const offsets: Record<string, number> = {};
    kernel.buffers.forEach(({ name, dtype }, i) => {
      buffers[name] = arrayAt(places[i]!, dtype);
      offsets[name] = evaluateDim(places[i]!.offset, sizes);
    });
    interpretKernel(kernel, buffers, sizes, offsets);
  }
  const read = (place: Place, type: TensorType): ReferenceTensor => {
    const shape = type.shape.map((dim) => evaluateDim(dim, sizes));
    const count = shape.reduce((a, b) => a * b, 1);
    const from = evaluateDim(place.offset, sizes);
    const data = Float64Array.from(arrayAt(place, type.dtype).subarray(from, from + count), (x) =>
      type.dtype === "f16" ? fromHalf(x) : x,
    );
    return { dtype: type.dtype, shape, data };
  };
  const outputs = new Map(program.outputs.map(({ name, type, place }) => [name, read(place, type)]));
  const copies = program.copies.map(({ target, source, length }) => {
    const type: TensorType = { dtype: globals.get(target)!.dtype, shape: [length] };
    return { target, value: read(source, type) };
  });
  const after = new Map<string, ReferenceTensor>();
  for (const [name, tensor] of globals) {
    const data = Float64Array.from(globalArrays.get(name)!);
    after.set(name, { ...tensor, data });
  }
  for (const { target, value } of copies) after.set(target, { ...after.get(target)!, data: value.data });
  return { outputs, globals: after };
}

function toTyped({ dtype, data }: ReferenceTensor): TypedArray {
  const array = allocate(dtype, data.length);
  array.set(dtype === "f16" ? [...data].map(toHalf) : data);
  return array;
}

function viewOf(buffer: ArrayBuffer, dtype: DType): TypedArray {
  const empty = allocate(dtype, 0);
  if (empty instanceof Float32Array) return new Float32Array(buffer);
  if (empty instanceof Int32Array) return new Int32Array(buffer);
  if (empty instanceof Uint16Array) return new Uint16Array(buffer);
  if (empty instanceof Int8Array) return new Int8Array(buffer);
  return new Uint8Array(buffer);
}

/** Fails unless `actual` agrees with `expected`, relative to the largest element of either. */
export function expectClose(actual: ReferenceTensor, expected: ReferenceTensor, tolerance: number): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.dtype).toBe(expected.dtype);
  const scale = Math.max(1, ...[...expected.data].filter(Number.isFinite).map(Math.abs));
  expected.data.forEach((value, i) => {
    const got = actual.data[i]!;
    if (Object.is(got, value) || got === value) return;
    if (!(Math.abs(got - value) <= tolerance * scale)) {
      expect.fail(`element ${i} is ${got}, not ${value} (scale ${scale})\n${[...actual.data].slice(0, 20)}`);
    }
  });
}

/** Fails unless both graphs give the same, and the second gives it when lowered too, on random inputs. */
export function expectSameMeaning(before: Graph, after: Graph, sizes: Sizes, seed: number): void {
  const inputs = new Map(
    before.inputs.map(({ name, type }, i) => [name, randomTensor(type, sizes, seed * 100 + i)] as const),
  );
  const expected = interpretGraph(before, Object.fromEntries(inputs), new Map(), sizes);
  const reference = interpretGraph(after, Object.fromEntries(inputs), new Map(), sizes);
  const lowered = runLowered(lowerGraph({ ...after, memory: trivialPlan(after) }), inputs, new Map(), sizes);
  for (const { name } of before.outputs) {
    expectClose(reference.outputs[name]!, expected.outputs[name]!, 1e-9);
    expectClose(lowered.outputs.get(name)!, expected.outputs[name]!, 1e-5);
  }
}

/** Seeded elements of a type: normal floats, small integers. */
export function randomTensor(type: TensorType, sizes: Sizes, seed: number): ReferenceTensor {
  const shape = type.shape.map((dim) => evaluateDim(dim, sizes));
  const isFloat = type.dtype === "f32" || type.dtype === "f16";
  const high = type.dtype === "bool" ? 1 : 4;
  const tensor = sampleTensor(
    { dtype: type.dtype, shape, distribution: isFloat ? { kind: "normal" } : { kind: "integers", low: 0, high } },
    seed,
  );
  return isFloat ? { ...tensor, data: Float64Array.from(tensor.data, Math.fround) } : tensor;
}
