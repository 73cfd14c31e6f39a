// Padding: loops over windows that skip what does not exist, without conditions inside, for all kinds of geometry.

import { describe, expect, it } from "vitest";
import { createGraphBuilder } from "../../src/ir/emit.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import { printKernel } from "../../src/ir/kernel/print.ts";
import { callsIn } from "../../src/ir/kernel/program.ts";
import { lowerGraph } from "../../src/passes/lower/index.ts";
import { randomInputs } from "../support/graphs.ts";
import { expectLowered, trivialPlan } from "../support/lowered.ts";

interface Geometry {
  readonly size: number;
  readonly window: number;
  readonly stride: number;
  readonly low: number;
  readonly high: number;
  readonly dilation: number;
  readonly spread: number;
}

function convolution({ size, window, stride, low, high, dilation, spread }: Geometry) {
  const builder = createGraphBuilder("test");
  const x = builder.input("x", { dtype: "f32", shape: [3, size, 2] });
  const w = builder.input("w", { dtype: "f32", shape: [window, 2, 5] });
  const y = builder.emit.value("convolution", [x, w], {
    layout: "b0f,0io->b0f",
    strides: [stride],
    padding: [[low, high]],
    lhs_dilation: [spread],
    rhs_dilation: [dilation],
    groups: 1,
    batch_groups: 1,
  });
  return builder.build([{ name: "y", value: y }]);
}

describe("padding", () => {
  const geometries: Geometry[] = [];
  for (const stride of [1, 2, 3]) {
    for (const [low, high] of [
      [0, 0],
      [1, 1],
      [4, 3],
      [-1, 2],
      [2, -1],
    ] as const) {
      for (const dilation of [1, 2]) {
        for (const spread of [1, 2, 3]) geometries.push({ size: 6, window: 3, stride, low, high, dilation, spread });
      }
    }
  }
  it.each(geometries)("stride $stride, [$low, $high], dilations $dilation and $spread", (geometry) => {
    const graph = convolution(geometry);
    const inputs = randomInputs(graph, {}, 1);
    const expected = interpretGraph(graph, inputs, new Map());
    expectLowered({ graph, inputs: new Map(Object.entries(inputs)), globals: new Map(), sizes: {} }, expected);
  });

  it("leaves no condition in the loops of a padded convolution", () => {
    const graph = convolution({ size: 6, window: 3, stride: 2, low: 1, high: 1, dilation: 1, spread: 2 });
    const [only] = callsIn(lowerGraph({ ...graph, memory: trivialPlan(graph) }).program.steps);
    expect(printKernel(only!.call.kernel)).not.toMatch(/select|\bif\b|\?/);
  });
});
