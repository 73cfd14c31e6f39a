// Every operation, lowered, against its own meaning.

import { describe, it } from "vitest";
import { expectLowered } from "../support/lowered.ts";
import { operationSamples } from "../support/operation-samples.ts";
import { toReference } from "../support/tensors.ts";

describe("each operation lowers to a kernel with its meaning", () => {
  it.each(operationSamples)("%s", (_, make) => {
    const { graph, inputs, expected } = make();
    const references = new Map(Object.entries(inputs).map(([name, x]) => [name, toReference(x)]));
    expectLowered(
      { graph, inputs: references, globals: new Map(), sizes: {} },
      { outputs: expected, updates: new Map() },
    );
  });
});
