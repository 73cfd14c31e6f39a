// Whole models, training steps included: WebAssembly and JavaScript give the same, but for roundings.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadSource } from "../../../src/cli/source.ts";
import { compile, load, type TargetName } from "../../../src/compile.ts";
import { evaluateDim } from "../../../src/ir/dim.ts";
import { allocate, type Tensor } from "../../../src/ir/dtype.ts";
import type { Module, TensorType } from "../../../src/ir/graph.ts";
import { shared } from "../../shared.ts";
import { createRandom } from "../../support/graphs.ts";

const own = join(import.meta.dirname, "../../../models");
const listed = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith(".dlm"))
        .map((file) => join(folder, file))
    : [];

/** Models that the language has no words for yet are left out: they do not compile for any target. */
function compiles(file: string): Module | undefined {
  try {
    return loadSource(file).module;
  } catch {
    return undefined;
  }
}

/** Variances and counts are 1, other floats are small; integers are classes. */
function draw(name: string, { dtype, shape }: TensorType, random: () => number): Tensor {
  const numbers = shape.map((dim) => evaluateDim(dim, { N: 3, T: 4 }));
  const data = allocate(
    dtype,
    numbers.reduce((a, b) => a * b, 1),
  );
  const positive = /variance|count|second|\.v\./.test(name);
  for (let i = 0; i < data.length; i++) {
    data[i] = dtype === "f32" ? (positive ? 1 : (random() - 0.5) * 0.4) : Math.floor(random() * 2);
  }
  return { dtype, shape: numbers, data };
}

/** All outputs of all graphs, and the parameters and states after them. */
function run(module: Module, target: TargetName): Map<string, Tensor> {
  const compiled = compile(module, { target });
  const executable = load(compiled);
  const random = createRandom(7);
  for (const [name, { type }] of compiled.programs.globals) executable.write(name, draw(name, type, random));
  const results = new Map<string, Tensor>();
  for (const [graph, program] of compiled.programs.programs) {
    // What init draws may be rounded to another side of a limit: the parameters come from here.
    if (graph === "init") continue;
    const inputs = Object.fromEntries(program.inputs.map(({ name, type }) => [name, draw(name, type, random)]));
    for (const [name, value] of Object.entries(executable.run(graph, inputs))) results.set(`${graph} ${name}`, value);
  }
  for (const name of compiled.programs.globals.keys()) results.set(name, executable.read(name));
  return results;
}

describe("models as WebAssembly and as JavaScript", () => {
  for (const file of [...listed(own), ...listed(shared("models"))]) {
    const module = compiles(file);
    it.skipIf(!module)(
      file.split("/").slice(-2).join("/"),
      () => {
        const [js, wasm] = [run(module!, "js"), run(module!, "wasm")];
        for (const [name, expected] of js) {
          const got = wasm.get(name)!;
          const largest = [...expected.data].reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
          // Sums of thousands of float32 terms against the same in float64.
          const wrong = expected.data.findIndex((x, i) => !(Math.abs(x - got.data[i]!) <= 1e-5 * largest));
          if (wrong >= 0) expect.fail(`${name}[${wrong}] is ${got.data[wrong]}, as JavaScript ${expected.data[wrong]}`);
        }
      },
      60_000,
    );
  }
});
