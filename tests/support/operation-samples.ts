// The samples that operations declare, as graphs of one node with their inputs: what every back-end is tested on.

import type { Tensor } from "../../src/ir/dtype.ts";
import { createGraphBuilder } from "../../src/ir/emit.ts";
import type { Graph, Module } from "../../src/ir/graph.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import type { ReferenceTensor } from "../../src/ir/op.ts";
import { operations } from "../../src/ir/ops/index.ts";
import { samplesOf, sampleTensor } from "./samples.ts";
import { toReference, toTensor } from "./tensors.ts";

export interface OperationSample {
  readonly graph: Graph;
  /** The module of this graph, which it calls `test`. */
  readonly module: Module;
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** What the graph means, by the name of the output. */
  readonly expected: Readonly<Record<string, ReferenceTensor>>;
}

/** Each sample of each operation, by a name for its test; made when the test runs. */
export const operationSamples: readonly (readonly [title: string, make: () => OperationSample])[] =
  operations().flatMap((operation) =>
    samplesOf(operation).map((sample, number) => {
      const make = (): OperationSample => {
        const builder = createGraphBuilder("test");
        const inputs: Record<string, Tensor> = {};
        const values = sample.inputs.map((input, i) => {
          inputs[`x${i}`] = toTensor(sampleTensor(input, number * 10 + i));
          return builder.input(`x${i}`, { dtype: input.dtype, shape: input.shape });
        });
        const results = builder.emit.node(operation.name, values, sample.attributes);
        const graph = builder.build(results.map((value, i) => ({ name: `y${i}`, value })));
        const module = { name: "Test", doc: "", globals: new Map(), graphs: new Map([["test", graph]]) };
        const references = Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, toReference(x)]));
        return { graph, module, inputs, expected: interpretGraph(graph, references, new Map()).outputs };
      };
      return [`${operation.name} ${number}`, make] as const;
    }),
  );
