// Every operation, lowered, against its own meaning.

import { describe, it } from "vitest";
import { createGraphBuilder } from "../../src/ir/emit.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { operations } from "../../src/ir/ops/index.ts";
import { expectLowered } from "../support/lowered.ts";
import { sampleTensor } from "../support/samples.ts";

describe("each operation lowers to a kernel with its meaning", () => {
  for (const operation of operations()) {
    operation.samples.forEach((sample, number) => {
      it(`${operation.name} ${number}`, () => {
        const builder = createGraphBuilder("test");
        const tensors = new Map<string, ReferenceTensor>();
        const inputs = sample.inputs.map((input, i) => {
          tensors.set(`x${i}`, sampleTensor(input, number * 10 + i));
          return builder.input(`x${i}`, { dtype: input.dtype, shape: input.shape });
        });
        const results = builder.emit.node(operation.name, inputs, sample.attributes);
        const graph = builder.build(results.map((value, i) => ({ name: `y${i}`, value })));
        const expected = interpretGraph(graph, Object.fromEntries(tensors), new Map());
        expectLowered({ graph, inputs: tensors, globals: new Map(), sizes: {} }, expected);
      });
    });
  }
});
