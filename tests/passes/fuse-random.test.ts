// Random graphs mean the same before and after fusion, as nodes and as kernels, in buffers of their own and as planned.

import fc from "fast-check";
import { describe, it } from "vitest";
import { interpretGraph } from "../../src/ir/interpret.ts";
import { verifyModule } from "../../src/ir/verify.ts";
import { fuseGraph } from "../../src/passes/graph/fuse.ts";
import { planGraph } from "../../src/passes/graph/plan-memory.ts";
import { createRandom, randomInputs, randomTensor } from "../support/graphs.ts";
import { expectLowered, expectSameMeaning } from "../support/lowered.ts";
import { randomModule } from "../support/random-graph.ts";

describe("random graphs", () => {
  for (const size of [0, 1, 3, 6]) {
    it(`fuse and lower to the same for N = ${size}`, () => {
      fc.assert(
        fc.property(randomModule({ steps: 20 }), (module) => {
          const before = module.graphs.get("infer")!;
          const after = fuseGraph(before);
          verifyModule({ ...module, graphs: new Map([["infer", after]]) });
          const random = createRandom(size);
          const globals = new Map(
            [...module.globals].map(([name, { type }]) => [name, randomTensor(type, { N: size }, random)]),
          );
          expectSameMeaning(before, after, { N: size }, size + 1, globals);
          const inputs = randomInputs(before, { N: size }, 7);
          const expected = interpretGraph(before, inputs, globals, { N: size });
          const run = { inputs: new Map(Object.entries(inputs)), globals, sizes: { N: size } };
          expectLowered({ ...run, graph: planGraph(after) }, expected);
          expectLowered({ ...run, graph: planGraph(before) }, expected);
        }),
        { numRuns: Number(process.env.RUNS ?? 100), seed: size },
      );
    });
  }
});
