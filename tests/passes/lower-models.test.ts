// Whole models, through every pass, as kernels: what training and prediction compute is what the language says.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { symbolsOf } from "../../src/ir/dim.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import { shared } from "../shared.ts";
import { createRandom, randomInputs, randomTensor } from "../support/graphs.ts";
import { expectLowered } from "../support/lowered.ts";

describe("models mean the same as kernels", () => {
  for (const model of ["xor", "iris", "diabetes"]) {
    const path = shared(`models/${model}.dlm`);
    it.skipIf(!existsSync(path))(model, () => {
      const { module, diagnostics } = compileSource({ name: path, text: readFileSync(path, "utf8") }, () => undefined);
      expect(diagnostics).toEqual([]);
      const reference = compile(module!, { pipeline: "differentiate,plan-memory" }).module;
      for (const [name, graph] of compile(module!).module.graphs) {
        const before = reference.graphs.get(name)!;
        const free = new Set(before.inputs.flatMap(({ type }) => type.shape.flatMap(symbolsOf)));
        for (const size of [1, 4]) {
          const sizes = Object.fromEntries([...free].map((symbol) => [symbol, size]));
          const inputs = randomInputs(before, sizes, size);
          const random = createRandom(size + 1);
          // Small and not negative: what holds a mean of squares has a root.
          const globals = new Map(
            [...reference.globals].map(([key, { type }]) => {
              const tensor = randomTensor(type, sizes, random);
              return [key, { ...tensor, data: tensor.data.map((x) => Math.abs(x) * 0.3) }];
            }),
          );
          const expected = interpretGraph(before, inputs, globals, sizes);
          expectLowered({ graph, inputs: new Map(Object.entries(inputs)), globals, sizes }, expected);
        }
      }
    });
  }
});
