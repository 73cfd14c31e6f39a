// Programs given as text, elaborated and run by the interpreter in float64, for tests of the language and its library.

import { compileSource } from "../../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import type { Sizes } from "../../src/ir/dim.ts";
import type { Module } from "../../src/ir/graph.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { parsePipeline, runPipeline } from "../../src/passes/pipeline.ts";

export type Tensors = ReadonlyMap<string, ReferenceTensor>;

/** The module of a program that must be right; gradients are worked out. */
export function moduleOf(text: string, model?: string): Module {
  const { module, diagnostics } = compileSource({ name: "test.dlm", text }, () => undefined, model ? { model } : {});
  if (!module) throw new Error(renderDiagnostics(diagnostics));
  return runPipeline(module, parsePipeline("differentiate"));
}

/** The messages of a program that is wrong. */
export const messagesOf = (text: string): string[] =>
  compileSource({ name: "test.dlm", text }, () => undefined).diagnostics.map((diagnostic) => diagnostic.message);

const key = (seed: number): ReferenceTensor => ({ dtype: "i32", shape: [2], data: Float64Array.of(seed, 0) });

export const floats = (shape: readonly number[], values: readonly number[]): ReferenceTensor => ({
  dtype: "f32",
  shape,
  data: Float64Array.from(values),
});

export const integers = (shape: readonly number[], values: readonly number[]): ReferenceTensor => ({
  dtype: "i32",
  shape,
  data: Float64Array.from(values),
});

/** Initial values of all parameters and states. */
export const initialOf = (module: Module, seed = 1): Tensors =>
  interpretGraph(module.graphs.get("init")!, { key: key(seed) }, new Map()).updates;

/** Runs one graph; `key` and `step` are supplied. */
export function runGraph(
  module: Module,
  name: string,
  inputs: Readonly<Record<string, ReferenceTensor>>,
  globals: Tensors,
  sizes: Sizes = {},
): ReturnType<typeof interpretGraph> {
  const graph = module.graphs.get(name);
  if (!graph) throw new Error(`there is no graph ${name}`);
  return interpretGraph(graph, { key: key(7), step: floats([], [0]), ...inputs }, globals, sizes);
}

/** The value of an expression without inputs, in a model of its own. `type` is that of the value. */
export function evaluated(expression: string, type: string, before = ""): ReferenceTensor {
  const module = moduleOf(`model M(unused: f32[1]) -> (y: ${type}) {\n${before}\ny = ${expression}\n}`);
  const inputs = { unused: floats([1], [0]) };
  return runGraph(module, "infer", inputs, initialOf(module)).outputs.y!;
}

export const numbers = (tensor: ReferenceTensor): number[] => [...tensor.data];
