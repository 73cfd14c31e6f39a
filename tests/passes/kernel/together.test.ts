// Long sums whose work the threads of a group share: what the kernels mean, and which kernels are made so.

import { describe, expect, it } from "vitest";
import { defaultPipeline } from "../../../src/compile.ts";
import { compileSource } from "../../../src/dsl/compile-source.ts";
import type { Graph } from "../../../src/ir/graph.ts";
import { interpretGraph } from "../../../src/ir/interpret.ts";
import { kernelsIn } from "../../../src/ir/kernel/program.ts";
import { eachStatement, scratchIn } from "../../../src/ir/kernel/visit.ts";
import { webgpuTarget } from "../../../src/ir/target.ts";
import { lowerGraph } from "../../../src/passes/lower/index.ts";
import { parsePipeline, runPipeline } from "../../../src/passes/pipeline.ts";
import { randomGlobals, randomInputs } from "../../support/graphs.ts";
import { expectLowered } from "../../support/lowered.ts";

function inferenceOf(text: string): Graph {
  const { module, diagnostics } = compileSource({ name: "sums.dlm", text: `model Sums${text}` }, () => undefined);
  expect(diagnostics).toEqual([]);
  return runPipeline(module!, parsePipeline(defaultPipeline)).graphs.get("infer")!;
}

/** Bytes that the threads share in each kernel. */
const sharedIn = (graph: Graph): readonly number[] =>
  kernelsIn(lowerGraph(graph, { target: webgpuTarget }).program.steps).map(({ body }) =>
    scratchIn(body).reduce((sum, { length, shared }) => sum + (shared ? 4 * length : 0), 0),
  );

describe("long sums", () => {
  const long = {
    "a sum": "(x: f32[N, 2000]) -> (y: f32[N]) { y = sum(x, axis: -1) }",
    "a sum of odd length": "(x: f32[N, 1999]) -> (y: f32[N]) { y = sum(x, axis: -1) }",
    "a sum over all": "(x: f32[N, 3, 700]) -> (y: f32[]) { y = sum(x) }",
    "a sum over short axes": "(x: f32[20, 5, 40, 3]) -> (y: f32[5]) { y = sum(x, axis: [0, 2, 3]) }",
    "a sum over a free size": "(x: f32[N, 90, 3]) -> (y: f32[3]) { y = sum(x, axis: [0, 1]) }",
    "the greatest": "(x: f32[N, 1500]) -> (y: f32[N]) { y = max(x, axis: -1) }",
    "the least of integers": "(x: i32[N, 1500]) -> (y: i32[N]) { y = min(x, axis: -1) }",
    "a product": "(x: f32[N, 1500]) -> (y: f32[N]) { y = prod(1 + x / 1000, axis: -1) }",
    softmax: "(x: f32[N, 1200]) -> (y: f32[N, 1200]) { y = softmax(x) }",
    "layer normalisation": "(x: f32[N, 1200]) -> (y: f32[N, 1200]) { y = layer_norm(x) }",
    "a dot product": "(x: f32[8, 3000], w: f32[3000]) -> (y: f32[8]) { y[n] = sum(k) x[n, k] * w[k] }",
    "the slope of weights": `(x: f32[N, 28, 28, 1], w: f32[3, 3, 1, 4]) -> (y: f32[3, 3, 1, 4]) {
      y = grad(sum(square(convolution(x, w))), w)
    }`,
  };
  for (const [name, text] of Object.entries(long)) {
    it.each([1, 3])(`${name}, for N = %i`, (N) => {
      const graph = inferenceOf(text);
      const inputs = randomInputs(graph, { N }, 5);
      const globals = randomGlobals(graph, { N }, 6);
      const expected = interpretGraph(graph, inputs, globals);
      const given = new Map(Object.entries(inputs));
      expectLowered({ graph, inputs: given, globals, sizes: { N } }, expected, [webgpuTarget]);
      expect(Math.max(...sharedIn(graph))).toBeGreaterThan(0);
    });
  }

  it("add the parts of half the group to those of the other half, until one is left", () => {
    const [kernel] = kernelsIn(lowerGraph(inferenceOf(long["a sum"]), { target: webgpuTarget }).program.steps);
    let barriers = 0;
    eachStatement(kernel!.body, ({ kind }) => {
      if (kind === "barrier") barriers++;
    });
    expect(barriers).toBe(1 + Math.log2(webgpuTarget.groups.threads));
  });
});

describe("not shared are", () => {
  const alone = {
    "short sums": "(x: f32[N, 200]) -> (y: f32[N]) { y = sum(x, axis: -1) }",
    "sums at many points": "(x: f32[1000, 2000]) -> (y: f32[1000]) { y = sum(x, axis: -1) }",
    "positions of the greatest, of which there is no sum": "(x: f32[N, 2000]) -> (y: i32[N]) { y = argmax(x) }",
  };
  it.each(Object.entries(alone))("%s", (_, text) => {
    expect(Math.max(...sharedIn(inferenceOf(text)))).toBe(0);
  });
});
