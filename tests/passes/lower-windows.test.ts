// Windows over channels that lie side by side, with the operations that make up their gradients, as kernels for scalars and vectors.

import { describe, it } from "vitest";
import { symbol } from "../../src/ir/dim.ts";
import { createGraphBuilder } from "../../src/ir/emit.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import { randomInputs } from "../support/graphs.ts";
import { expectLowered } from "../support/lowered.ts";

const N = symbol("N");

interface Window {
  readonly size: readonly [number, number];
  readonly channels: number;
  readonly window: number;
  readonly stride: number;
  readonly padding?: number;
  readonly dilation?: number;
}

describe("windows as kernels", () => {
  for (const kind of ["max", "min"] as const) {
    it.each<Window>([
      { size: [6, 6], channels: 8, window: 2, stride: 2 },
      { size: [7, 5], channels: 7, window: 2, stride: 2 },
      { size: [7, 6], channels: 5, window: 3, stride: 1, padding: 1 },
      { size: [7, 7], channels: 18, window: 3, stride: 2, padding: 1 },
      { size: [8, 8], channels: 4, window: 2, stride: 3, dilation: 2 },
    ])(`${kind} %o`, ({ size, channels, window, stride, padding = 0, dilation = 1 }) => {
      const attributes = {
        kind,
        window: [1, window, window, 1],
        strides: [1, stride, stride, 1],
        padding: [
          [0, 0],
          [padding, padding],
          [padding, padding],
          [0, 0],
        ],
        dilation: [1, dilation, dilation, 1],
      };
      const builder = createGraphBuilder("test");
      const { emit } = builder;
      const x = builder.input("x", { dtype: "f32", shape: [N, ...size, channels] });
      const y = emit.value("reduce_window", [x], attributes);
      const d = builder.input("d", y.type);
      const graph = builder.build([
        { name: "y", value: y },
        { name: "dx", value: emit.value("window_scatter", [x, d], attributes) },
        { name: "dd", value: emit.value("window_select", [x, x], attributes) },
        { name: "sum", value: emit.value("reduce_window", [x], { ...attributes, kind: "sum" }) },
      ]);
      const inputs = randomInputs(graph, { N: 3 }, 1);
      const expected = interpretGraph(graph, inputs, new Map(), { N: 3 });
      const run = { graph, inputs: new Map(Object.entries(inputs)), globals: new Map(), sizes: { N: 3 } };
      expectLowered(run, expected);
    });
  }
});
