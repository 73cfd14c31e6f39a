// Whole models, training steps included: WebAssembly and JavaScript give the same, but for roundings, in about as little memory
// as any plan could.

import { describe, expect, it } from "vitest";
import { loadSource } from "../../../src/cli/source.ts";
import { type Compiled, compile, load } from "../../../src/compile.ts";
import type { Tensor } from "../../../src/ir/dtype.ts";
import { graphsIn } from "../../../src/ir/kernel/program.ts";
import { peakOf } from "../../../src/peak.ts";
import { createRandom } from "../../support/graphs.ts";
import { drawValue, modelFiles } from "../../support/models.ts";

const sizes = { N: 3, T: 4 };

/** All outputs of all graphs, and the parameters and states after them. */
function run(compiled: Compiled): Map<string, Tensor> {
  const executable = load(compiled);
  const random = createRandom(7);
  for (const [name, { type }] of compiled.programs.globals)
    executable.write(name, drawValue(name, type, sizes, random));
  const results = new Map<string, Tensor>();
  for (const program of graphsIn(compiled.programs)) {
    const { name: graph } = program;
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
      const compiled = compile(module, { target: "wasm" });
      for (const [graph, { buffers, sizes }] of compiled.programs.programs) {
        const { peak, lowerBound } = peakOf(buffers, Object.fromEntries(sizes.map((size) => [size, 32])));
        expect(peak, `arena of ${graph}`).toBeLessThanOrEqual(1.05 * lowerBound);
      }
      const [js, wasm] = [run(compile(module, { target: "js" })), run(compiled)];
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
