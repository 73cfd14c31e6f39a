// Kernels of random graphs, as lowered for vectors, mean the same to the bit before and after the passes over kernels.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateDim } from "../../../src/ir/dim.ts";
import { allocate, type TypedArray } from "../../../src/ir/dtype.ts";
import { interpretKernel } from "../../../src/ir/kernel/interpret.ts";
import type { Kernel } from "../../../src/ir/kernel/types.ts";
import { verifyKernel } from "../../../src/ir/kernel/verify.ts";
import { operation } from "../../../src/ir/ops/index.ts";
import { wasmTarget } from "../../../src/ir/target.ts";
import { fuseGraph } from "../../../src/passes/graph/fuse.ts";
import { optimizeKernel } from "../../../src/passes/kernel/index.ts";
import { vectorize } from "../../../src/passes/kernel/vectorize.ts";
import { createFresh } from "../../../src/passes/lower/names.ts";
import { lowerNode } from "../../../src/passes/lower/node.ts";
import { tilesFor } from "../../../src/passes/schedule/tiles.ts";
import { randomModule } from "../../support/random-graph.ts";

/** Results of a kernel on numbers from a seed, floats in float64. */
function results(kernel: Kernel, size: number): readonly (readonly number[])[] {
  verifyKernel(kernel);
  const buffers: Record<string, TypedArray | Float64Array> = {};
  kernel.buffers.forEach(({ name, dtype, length, access }, position) => {
    const count = evaluateDim(length, { N: size });
    const isFloat = dtype === "f32" || dtype === "f16";
    const data = isFloat ? new Float64Array(count) : allocate(dtype, count);
    for (let i = 0; i < count; i++) {
      const value = Math.sin((i + 1) * 12.9898 + position);
      data[i] = access === "write" ? 0 : isFloat ? value * 2 : Math.floor(Math.abs(value) * (dtype === "bool" ? 2 : 9));
    }
    buffers[name] = data;
  });
  interpretKernel(kernel, buffers, { N: size });
  return kernel.buffers.filter(({ access }) => access !== "read").map(({ name }) => [...buffers[name]!]);
}

describe("kernels of random graphs", () => {
  for (const size of [1, 4, 7]) {
    it(`mean the same over vectors for N = ${size}`, () => {
      let lanes = 0;
      fc.assert(
        fc.property(randomModule({ steps: 20 }), (module) => {
          for (const node of fuseGraph(module.graphs.get("infer")!).nodes) {
            if (operation(node.op)?.lower.kind === "view") continue;
            const tiles = tilesFor(wasmTarget({ fma: true }));
            const { kernel } = lowerNode(node, { freshKernel: createFresh(new Set()), tiles });
            const expected = results(kernel, size);
            const lifted = vectorize(kernel);
            expect(results(lifted, size)).toEqual(expected);
            const [vectors] = optimizeKernel(kernel, wasmTarget({ fma: true }), (stem) => stem);
            expect(results(vectors!, size)).toEqual(expected);
            if (JSON.stringify(kernel.body).includes('"lanes":4')) lanes++;
          }
        }),
        { numRuns: 60, seed: size },
      );
      expect(lanes).toBeGreaterThan(60);
    });
  }
});
