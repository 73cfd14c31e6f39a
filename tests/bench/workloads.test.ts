// The programs of the comparison with other engines: both back-ends compute what the interpreter of graphs says, on small sizes.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compile, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { allocate, type Tensor } from "../../src/ir/dtype.ts";
import type { Module } from "../../src/ir/graph.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { expectEqualTensors, randomInputs } from "../support/graphs.ts";

interface Case {
  readonly file: string;
  readonly sizes: Readonly<Record<string, number>>;
  /** Fixed sizes of the program that the interpreter would take long over, and small ones in their stead. */
  readonly smaller?: readonly [text: string, instead: string];
}

const cases: readonly Case[] = [
  { file: "matmul", sizes: { M: 5, K: 9, N: 7 } },
  { file: "mlp", sizes: { N: 2 } },
  { file: "cnn", sizes: { N: 2 }, smaller: ["[N, 28, 28, 1]", "[N, 12, 12, 1]"] },
  { file: "transformer", sizes: {}, smaller: ["[1, 128, 256]", "[1, 5, 256]"] },
  { file: "lstm", sizes: {}, smaller: ["[1, 100, ", "[1, 4, "] },
  { file: "elementwise", sizes: { N: 103 } },
  { file: "mobile_net", sizes: { N: 1 }, smaller: ["[N, 96, 96, 3]", "[N, 17, 17, 3]"] },
];

// Sums of up to 1600 products in float32.
const tolerance = 1e-4;

function moduleOf({ file, smaller: [text, instead] = ["", ""] }: Case): Module {
  const written = readFileSync(new URL(`../../bench/workloads/${file}.dlm`, import.meta.url), "utf8");
  const { module, diagnostics } = compileSource(
    { name: file, text: text === "" ? written : written.replaceAll(text, instead) },
    () => undefined,
  );
  expect(diagnostics).toEqual([]);
  return module!;
}

const exact = ({ dtype, shape, data }: Tensor): ReferenceTensor => ({ dtype, shape, data: Float64Array.from(data) });

function rounded({ dtype, shape, data }: ReferenceTensor): Tensor {
  const held = allocate(dtype, data.length);
  held.set(data);
  return { dtype, shape, data: held };
}

describe.each(["js", "wasm"] as const)("workloads as %s", (target) => {
  it.each(cases)("$file", (workload) => {
    const module = moduleOf(workload);
    const executable = load(compile(module, { target }));
    const key: Tensor = { dtype: "i32", shape: [2], data: Int32Array.of(1, 0) };
    if (module.globals.size > 0) executable.run("init", { key });
    for (const graph of referenceOf(module).values()) {
      const before = new Map([...module.globals.keys()].map((name) => [name, exact(executable.read(name))]));
      const inputs = Object.fromEntries(
        Object.entries(randomInputs(graph, workload.sizes, 7)).map(([name, tensor]) => [name, rounded(tensor)]),
      );
      // The first step of training: later ones divide by smaller numbers.
      if (inputs.step) inputs.step.data.fill(0);
      const given = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, exact(tensor)]));
      const expected = interpretGraph(graph, given, before, workload.sizes);
      const outputs = executable.run(graph.name, inputs);
      expect(Object.keys(outputs)).toEqual(Object.keys(expected.outputs));
      for (const [name, value] of Object.entries(expected.outputs))
        expectEqualTensors(exact(outputs[name]!), value, tolerance);
      for (const [name, value] of expected.updates) expectEqualTensors(exact(executable.read(name)), value, tolerance);
    }
  });
});

/** The graphs that the comparison runs, differentiated and without what they do not need, but not rewritten. */
const referenceOf = (module: Module): Module["graphs"] =>
  compile(module, {
    graphs: ["infer", "train_step"],
    pipeline: "differentiate,eliminate-dead,open-scans,plan-memory",
  }).module.graphs;
