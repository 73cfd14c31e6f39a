// Attention as one kernel: what it computes, for sizes around those of its blocks and tiles, that memory grows with the length of the
// sequence, and where it must not be made.

import { describe, expect, it } from "vitest";
import { compile, defaultPipeline, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { evaluateDim, type Sizes } from "../../src/ir/dim.ts";
import type { Module } from "../../src/ir/graph.ts";
import { interpretGraph } from "../../src/ir/interpret.ts";
import { parsePipeline, runPipeline } from "../../src/passes/pipeline.ts";
import { randomInputs } from "../support/graphs.ts";
import { expectLowered } from "../support/lowered.ts";

function moduleOf(text: string): Module {
  const { module, diagnostics } = compileSource({ name: "test.dlm", text }, () => undefined);
  expect(diagnostics).toEqual([]);
  return module!;
}

const plain = "q: f32[N, T, 2, 6], k: f32[N, S, 2, 6], v: f32[N, S, 2, 10]";
const programs: Readonly<Record<string, string>> = {
  plain: `model M(${plain}) -> (y: f32[N, T, 2, 10]) { y = attend(q, k, v) }`,
  causal: `model M(${plain}) -> (y: f32[N, T, 2, 10]) { y = attend(q, k, v, causal: true) }`,
  masked: `model M(${plain}, m: f32[N, S]) -> (y: f32[N, T, 2, 10]) { y = attend(q, k, v, mask: m > 0) }`,
  "with a bias, scores last": `model M(q: f32[2, T, 5], k: f32[2, 5, S], v: f32[2, S, 3], b: f32[T, S]) -> (y: f32[2, T, 3]) {
    y = softmax(q @ k + b) @ v
  }`,
  "values first": `model M(q: f32[T, 4], k: f32[S, 4], v: f32[S, 8]) -> (y: f32[8, T]) {
    w = softmax(q @ transpose(k))
    y[e, t] = sum(s) v[s, e] * w[t, s]
  }`,
};

const kindsOf = (module: Module, graph = "infer"): readonly unknown[] =>
  module.graphs.get(graph)!.nodes.map((node) => node.attributes.kind ?? node.op);

describe("attention in one kernel", () => {
  it.each(Object.entries(programs))("%s", (_, text) => {
    const module = moduleOf(text);
    const graph = compile(module).module.graphs.get("infer")!;
    expect(graph.nodes.filter((node) => node.attributes.kind === "attention").length).toBe(1);
    expect(graph.nodes.every((node) => node.op !== "dot")).toBe(true);
    const before = module.graphs.get("infer")!;
    for (const [T, S] of [
      [1, 1],
      [5, 3],
      [6, 131],
    ] as const) {
      const sizes: Sizes = { N: 1, T, S };
      const inputs = randomInputs(before, sizes, T);
      const expected = interpretGraph(before, inputs, new Map(), sizes);
      expectLowered({ graph, inputs: new Map(Object.entries(inputs)), globals: new Map(), sizes }, expected);
    }
  });

  it("scores of -∞ have no weight, even where a whole block has no other", () => {
    const module = moduleOf(`model M(q: f32[T, 4], k: f32[S, 4], v: f32[S, 4]) -> (y: f32[T, 4]) {
      scores[t, s] = where(s > 200, sum(e) q[t, e] * k[s, e], -inf)
      y = softmax(scores) @ v
    }`);
    const sizes = { T: 4, S: 260 };
    const inputs = randomInputs(module.graphs.get("infer")!, sizes, 2);
    const expected = interpretGraph(module.graphs.get("infer")!, inputs, new Map(), sizes).outputs.y!;
    const f32 = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, data }]) => [
        name,
        { dtype: "f32" as const, shape, data: Float32Array.from(data) },
      ]),
    );
    for (const target of ["js", "wasm"] as const) {
      const { y } = load(compile(module, { target })).run("infer", f32);
      y!.data.forEach((value, i) => {
        expect(value).toBeCloseTo(expected.data[i]!, 5);
      });
    }
  });

  it("holds no matrix of scores", () => {
    const module = moduleOf(`model M(x: f32[N, T, 32]) -> (y: f32[N, T, 32]) {
      y = multi_head_attention(x, heads: 4, causal: true)
    }`);
    const { memory } = compile(module).module.graphs.get("infer")!;
    const bytes = (T: number): number =>
      memory!.buffers.reduce((sum, buffer) => sum + evaluateDim(buffer.bytes, { N: 1, T }), 0);
    expect(bytes(4096)).toBe(bytes(1024) * 4);
  });

  it("is not made where training needs the weights, and they are small", () => {
    const module = moduleOf(`model M(x: f32[N, 5, 8]) -> (y: f32[N, 5, 8]) { y = multi_head_attention(x, heads: 2) }
      train M {
        data: rows(x: [[[0]]])
        loss: mean(square(y))
        optimizer: sgd(0.1)
      }`);
    const compiled = compile(module).module;
    expect(kindsOf(compiled, "train_step")).not.toContain("attention");
    expect(kindsOf(compiled, "eval_step")).toContain("attention");
  });

  it("is not made where weights are asked for", () => {
    const asked = moduleOf(`model M(q: f32[T, 4], k: f32[S, 4], v: f32[S, 4]) -> (y: f32[T, 4], w: f32[T, S]) {
      w = softmax(q @ transpose(k))
      y = w @ v
    }`);
    expect(kindsOf(compile(asked).module)).not.toContain("attention");
  });
});

/** Graphs of attention and the gradients of its operands, with pipelines that hold no weights. */
const gradients: Readonly<Record<string, string>> = {
  plain: `model M(${plain}) -> (y: f32[N, T, 2, 10], dq: f32[N, T, 2, 6], dk: f32[N, S, 2, 6], dv: f32[N, S, 2, 10]) {
    y = attend(q, k, v)
    loss = sum(sin(y))
    dq = grad(loss, q)
    dk = grad(loss, k)
    dv = grad(loss, v)
  }`,
  causal: `model M(${plain}) -> (y: f32[N, T, 2, 10], dq: f32[N, T, 2, 6], dk: f32[N, S, 2, 6], dv: f32[N, S, 2, 10]) {
    y = attend(q, k, v, causal: true)
    loss = sum(y * y)
    dq = grad(loss, q)
    dk = grad(loss, k)
    dv = grad(loss, v)
  }`,
  "masked, keys alone": `model M(${plain}, m: f32[N, S]) -> (dk: f32[N, S, 2, 6]) {
    dk = grad(sum(sin(attend(q, k, v, mask: m > 0))), k)
  }`,
  "rotated, in two layers": `model M(x: f32[N, T, 2, 6], m: f32[N, T]) -> (dx: f32[N, T, 2, 6]) {
    turned = rotary_positions(x)
    z = attend(turned, turned, x, causal: true)
    y = attend(z, x, z, mask: m > 0)
    dx = grad(sum(sin(y)), x)
  }`,
  "with a bias and a scale, scores last": `model M(q: f32[2, T, 5], k: f32[2, 5, S], v: f32[2, S, 3], b: f32[S], c: f32[T])
      -> (dq: f32[2, T, 5], dk: f32[2, 5, S], dv: f32[2, S, 3]) {
    scores[n, t, s] = (q @ k)[n, t, s] * c[t] + b[s]
    y = softmax(scores) @ v
    loss = sum(exp(y / 4))
    dq = grad(loss, q)
    dk = grad(loss, k)
    dv = grad(loss, v)
  }`,
  "values first": `model M(q: f32[T, 4], k: f32[S, 4], v: f32[S, 8]) -> (dq: f32[T, 4], dk: f32[S, 4], dv: f32[S, 8]) {
    w = softmax(q @ transpose(k))
    y[e, t] = sum(s) v[s, e] * w[t, s]
    loss = sum(sin(y))
    dq = grad(loss, q)
    dk = grad(loss, k)
    dv = grad(loss, v)
  }`,
};

describe("gradients of attention that hold no weights", () => {
  const holding = (bytes: number): string => defaultPipeline.replace("fuse-attention", `fuse-attention{held=${bytes}}`);

  it.each(Object.entries(gradients))("%s", (_, text) => {
    const module = moduleOf(text);
    const graph = compile(module, { pipeline: holding(0) }).module.graphs.get("infer")!;
    expect(kindsOf({ ...module, graphs: new Map([["infer", graph]]) })).toContain("mixture");
    expect(graph.nodes.every((node) => node.op !== "dot")).toBe(true);
    const before = runPipeline(module, parsePipeline("differentiate")).graphs.get("infer")!;
    for (const [T, S] of [
      [1, 1],
      [5, 3],
      [6, 131],
    ] as const) {
      const sizes: Sizes = { N: 1, T, S };
      const inputs = randomInputs(before, sizes, T);
      const expected = interpretGraph(before, inputs, new Map(), sizes);
      expectLowered({ graph, inputs: new Map(Object.entries(inputs)), globals: new Map(), sizes }, expected);
    }
  });
});
