// Whole models, training steps included: WebAssembly and JavaScript give the same, but for roundings.

import { describe, expect, it } from "vitest";
import { loadSource } from "../../../src/cli/source.ts";
import { compile, load, type TargetName } from "../../../src/compile.ts";
import type { Tensor } from "../../../src/ir/dtype.ts";
import type { Module } from "../../../src/ir/graph.ts";
import { createRandom } from "../../support/graphs.ts";
import { drawValue, modelFiles } from "../../support/models.ts";

const sizes = { N: 3, T: 4 };

/** All outputs of all graphs, and the parameters and states after them. */
function run(module: Module, target: TargetName): Map<string, Tensor> {
  const compiled = compile(module, { target });
  const executable = load(compiled);
  const random = createRandom(7);
  for (const [name, { type }] of compiled.programs.globals)
    executable.write(name, drawValue(name, type, sizes, random));
  const results = new Map<string, Tensor>();
  for (const [graph, program] of compiled.programs.programs) {
    // What init draws may be rounded to another side of a limit: the parameters come from here.
    if (graph === "init") continue;
    const inputs = Object.fromEntries(
      program.inputs.map(({ name, type }) => [name, drawValue(name, type, sizes, random)]),
    );
    for (const [name, value] of Object.entries(executable.run(graph, inputs))) results.set(`${graph} ${name}`, value);
  }
  for (const name of compiled.programs.globals.keys()) results.set(name, executable.read(name));
  return results;
}

describe("models as WebAssembly and as JavaScript", () => {
  for (const [name, file] of modelFiles()) {
    it(name, () => {
      const { module } = loadSource(file);
      const [js, wasm] = [run(module, "js"), run(module, "wasm")];
      for (const [name, expected] of js) {
        const got = wasm.get(name)!;
        const largest = [...expected.data].reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
        // Sums of thousands of float32 terms against the same in float64.
        const wrong = expected.data.findIndex((x, i) => !(Math.abs(x - got.data[i]!) <= 1e-5 * largest));
        if (wrong >= 0) expect.fail(`${name}[${wrong}] is ${got.data[wrong]}, as JavaScript ${expected.data[wrong]}`);
      }
    }, 60_000);
  }
});
