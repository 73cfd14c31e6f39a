// Every operation and random modules, compiled to WebAssembly, against what graphs and kernels mean.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Executable } from "../../../src/backends/backend.ts";
import { createExecutable as createJs } from "../../../src/backends/js/executable.ts";
import { createInterpreted } from "../../../src/backends/js/interpreted.ts";
import { createExecutable } from "../../../src/backends/wasm/executable.ts";
import { compile } from "../../../src/compile.ts";
import { isFloat, type Tensor } from "../../../src/ir/dtype.ts";
import type { ReferenceTensor } from "../../../src/ir/op.ts";
import { createRandom, randomInputs, randomTensor } from "../../support/graphs.ts";
import { expectClose } from "../../support/lowered.ts";
import { operationSamples } from "../../support/operation-samples.ts";
import { randomModule } from "../../support/random-graph.ts";
import { toReference, toTensor } from "../../support/tensors.ts";

/**
 * Float32 rounds to 6e-8; sums of the samples have at most some hundred terms, and derivatives of the samples' functions are below 10.
 * Halves round to 5e-4. Integers and truth must be equal.
 */
const toleranceOf = (dtype: Tensor["dtype"]): number => (dtype === "f16" ? 1e-3 : isFloat(dtype) ? 1e-5 : 0);

describe("each operation as WebAssembly has its meaning", () => {
  it.each(operationSamples)("%s", (_, make) => {
    const { graph, module, inputs, expected } = make();
    const got = createExecutable(compile(module, { target: "wasm" }).programs).run("test", inputs);
    for (const { name, value } of graph.outputs) {
      expectClose(toReference(got[name]!), expected[name]!, toleranceOf(value.type.dtype));
    }
  });
});

describe("random modules as WebAssembly", () => {
  for (const size of [0, 1, 5]) {
    it(`give what the interpreter of kernels with float32 registers gives, for N = ${size}`, () => {
      fc.assert(
        fc.property(randomModule({ steps: 16 }), (module) => {
          const sizes = { N: size };
          const random = createRandom(size + 1);
          const globals = [...module.globals].map(
            ([name, { type }]) => [name, toTensor(randomTensor(type, sizes, random))] as const,
          );
          const drawn = randomInputs(module.graphs.get("infer")!, sizes, 11);
          const { programs } = compile(module, { target: "wasm" });
          const { inputs } = programs.programs.get("infer")!;
          const given = Object.fromEntries(inputs.map(({ name }) => [name, toTensor(drawn[name]!)]));
          const run = (executable: Executable): Record<string, ReferenceTensor> => {
            for (const [name, value] of globals) executable.write(name, value);
            const outputs = Object.entries(executable.run("infer", given, sizes));
            const after = globals.map(([name]) => [`@${name}`, executable.read(name)] as const);
            return Object.fromEntries([...outputs, ...after].map(([name, value]) => [name, toReference(value)]));
          };
          const expected = run(
            createJs(programs, { create: (m, graph) => createInterpreted(m, graph, { registers: "f32" }) }),
          );
          // The same operations in the same order: only transcendental functions may differ, by some units in the last place.
          const got = run(createExecutable(programs, { fma: false }));
          for (const [name, value] of Object.entries(expected)) {
            expectClose(got[name]!, value, isFloat(value.dtype) ? 1e-4 : 0);
          }
          expect(Object.keys(got)).toEqual(Object.keys(expected));
        }),
        { numRuns: Number(process.env.RUNS ?? 60), seed: size },
      );
    });
  }
});
