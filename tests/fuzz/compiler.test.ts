// Random modules through the whole compiler: every pass keeps the meaning, and the generated JavaScript, in the memory that the
// plan lays out, gives to the bit what the interpreter of kernels gives there. That the kernels mean what the graph means,
// unrounded, is tested in tests/passes/fuse-random.test.ts.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createExecutable } from "../../src/backends/js/executable.ts";
import { createInterpreted } from "../../src/backends/js/interpreted.ts";
import { compile } from "../../src/compile.ts";
import { evaluateDim } from "../../src/ir/dim.ts";
import { allocate, type DType, type Tensor } from "../../src/ir/dtype.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { parseModule } from "../../src/ir/parse.ts";
import { printModule } from "../../src/ir/print.ts";
import { createRandom, randomInputs, randomTensor } from "../support/graphs.ts";
import { expectClose } from "../support/lowered.ts";
import { randomModule } from "../support/random-graph.ts";

const runs = Number(process.env.RUNS ?? 60);

function toTensor({ dtype, shape, data }: ReferenceTensor): Tensor {
  const array = allocate(dtype, data.length);
  array.set(data);
  return { dtype, shape, data: array };
}

const bitsOf = ({ dtype, shape, data }: Tensor): readonly [DType, string, string] => [
  dtype,
  String(shape),
  // NaN has many bit patterns, which engines may choose from.
  Array.from(data, (value) => (Number.isNaN(value) ? "NaN" : Object.is(value, -0) ? "-0" : String(value))).join(" "),
];

describe("random modules", () => {
  for (const size of [0, 1, 5]) {
    it(`keep their meaning through every pass, and run as generated code for N = ${size}`, () => {
      fc.assert(
        fc.property(randomModule({ steps: 16 }), (module) => {
          const sizes = { N: size };
          const graph = module.graphs.get("infer")!;
          const random = createRandom(size + 1);
          const globals = new Map(
            [...module.globals].map(([name, { type }]) => [name, randomTensor(type, sizes, random)]),
          );
          const inputs = randomInputs(graph, sizes, 11);
          const expected = interpretGraph(graph, inputs, globals, sizes);
          const compiled = compile(module, {
            observe: ({ module: after }) => {
              const text = printModule(after);
              expect(printModule(parseModule(text))).toBe(text);
              const got = interpretGraph(after.graphs.get("infer")!, inputs, globals, sizes);
              for (const { name } of graph.outputs) expectClose(got.outputs[name]!, expected.outputs[name]!, 1e-9);
              for (const [name, value] of expected.updates) expectClose(got.updates.get(name)!, value, 1e-9);
            },
          });
          const program = compiled.programs.programs.get("infer")!;
          const given = Object.fromEntries(program.inputs.map(({ name }) => [name, toTensor(inputs[name]!)]));
          const [generated, interpreted] = [{}, { create: createInterpreted }].map((options) => {
            const executable = createExecutable(compiled.programs, options);
            for (const [name, value] of globals) executable.write(name, toTensor(value));
            const outputs = executable.run("infer", given, sizes);
            const after = [...module.globals].map(([name]) => bitsOf(executable.read(name)));
            return { outputs: Object.entries(outputs).map(([name, tensor]) => [name, bitsOf(tensor)]), after };
          });
          expect(generated).toEqual(interpreted);
          for (const { name, type } of program.outputs) {
            const shape = type.shape.map((dim) => evaluateDim(dim, sizes));
            expect(expected.outputs[name]!.shape).toEqual(shape);
          }
        }),
        { numRuns: runs, seed: size },
      );
    });
  }
});
