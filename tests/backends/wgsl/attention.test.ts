// Attention on WebGPU is one kernel as elsewhere, for sizes around those of its blocks and tiles: no matrix of scores is held.

import { describe, expect, it } from "vitest";
import { compile, loadGpu } from "../../../src/compile.ts";
import { compileSource } from "../../../src/dsl/compile-source.ts";
import { interpretGraph } from "../../../src/ir/interpret.ts";
import { parsePipeline, runPipeline } from "../../../src/passes/pipeline.ts";
import { randomInputs } from "../../support/graphs.ts";
import { swiftShader } from "../../support/webgpu.ts";

const given = "q: f32[N, T, 2, 6], k: f32[N, S, 2, 6], v: f32[N, S, 2, 10]";
const programs: Readonly<Record<string, string>> = {
  plain: `model M(${given}) -> (y: f32[N, T, 2, 10]) { y = attend(q, k, v) }`,
  causal: `model M(${given}) -> (y: f32[N, T, 2, 10]) { y = attend(q, k, v, causal: true) }`,
  "with gradients": `model M(${given}, m: f32[N, S])
      -> (y: f32[N, T, 2, 10], dq: f32[N, T, 2, 6], dk: f32[N, S, 2, 6], dv: f32[N, S, 2, 10]) {
    y = attend(q, k, v, causal: true, mask: m > 0)
    loss = sum(sin(y))
    dq = grad(loss, q)
    dk = grad(loss, k)
    dv = grad(loss, v)
  }`,
  masked: `model M(${given}, m: f32[N, S]) -> (y: f32[N, T, 2, 10]) { y = attend(q, k, v, mask: m > 0) }`,
};

describe("attention on WebGPU", () => {
  it.each(Object.entries(programs))("%s", async (_, text) => {
    const { module, diagnostics } = compileSource({ name: "test.dlm", text }, () => undefined);
    expect(diagnostics).toEqual([]);
    const graph = runPipeline(module!, parsePipeline("differentiate")).graphs.get("infer")!;
    const compiled = compile(module!, { target: "webgpu" });
    const kinds = compiled.module.graphs.get("infer")!.nodes.map((node) => node.attributes.kind ?? node.op);
    expect(kinds).toContain("attention");
    expect(kinds).not.toContain("dot");
    const executable = await loadGpu(compiled, { gpu: swiftShader() });
    for (const [T, S] of [
      [1, 1],
      [5, 3],
      [6, 71],
    ] as const) {
      const sizes = { N: 2, T, S };
      const inputs = randomInputs(graph, sizes, T);
      const expected = interpretGraph(graph, inputs, new Map(), sizes).outputs;
      const given = Object.entries(inputs).map(([name, { dtype, shape, data }]) => {
        return [name, { dtype, shape, data: Float32Array.from(data) }] as const;
      });
      const got = await executable.run("infer", Object.fromEntries(given));
      for (const [name, { shape, data }] of Object.entries(expected)) {
        expect(got[name]!.shape).toEqual(shape);
        data.forEach((x, i) => {
          expect(Math.abs(got[name]!.data[i]! - x), `${name}[${i}]`).toBeLessThan(1e-5 * (1 + Math.abs(x)));
        });
      }
    }
    executable.dispose();
  });
});
