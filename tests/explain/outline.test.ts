// The drawing of a model, and its gradients by themselves.

import { expect, it } from "vitest";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { gradientGraph } from "../../src/explain/gradients.ts";
import { outlineOf } from "../../src/explain/outline.ts";
import type { Module } from "../../src/ir/graph.ts";
import { parsePipeline, runPipeline } from "../../src/passes/pipeline.ts";
import { floats, initialOf, runGraph } from "../dsl/elaborated.ts";

function compiled(text: string): Module {
  const { module, diagnostics } = compileSource({ name: "test.dlm", text }, () => undefined);
  if (!module) throw new Error(diagnostics[0]?.message);
  return module;
}

it("has a box for each call, with what it keeps, and the types of what flows", () => {
  const module = compiled(`model M(x: f32[N, 3]) -> (y: f32[N, 2]) {
  hidden = x |> dense(4) |> relu
  y = (hidden |> dense(2)) + x[:, 0:2]
}`);
  const { boxes, arrows } = outlineOf(module.graphs.get("infer")!);
  expect(boxes.map(({ label, kind, parameters }) => [label, kind, parameters])).toEqual([
    ["x", "input", undefined],
    ["dense", "call", "16"],
    ["relu", "call", undefined],
    ["dense_1", "call", "10"],
    ["slice", "call", undefined],
    ["add", "call", undefined],
    ["y", "output", undefined],
  ]);
  const labels = new Map(boxes.map(({ id, label }) => [id, label]));
  expect(arrows.map(({ from, to, label }) => `${labels.get(from)} → ${labels.get(to)} ${label}`)).toEqual([
    "x → dense f32[N, 3]",
    "dense → relu f32[N, 4]",
    "relu → dense_1 f32[N, 4]",
    "x → slice f32[N, 3]",
    "dense_1 → add f32[N, 2]",
    "slice → add f32[N, 2]",
    "add → y f32[N, 2]",
  ]);
});

it("gives the gradients that the optimizer sees, by parameter", () => {
  const module = compiled(`
optimizer plain(w, g) = w - g
model M(x: f32[N, 2]) -> (y: f32[N, 1]) {
  y = x |> dense(1)
}
train M {
  target t: f32[N, 1]
  data: rows(x: [[1, 2], [3, 4]], t: [[1], [0]])
  loss: mean_squared_error(y, t)
  optimizer: plain
}`);
  const graph = gradientGraph(module.graphs.get("train_step")!)!;
  const whole = runPipeline(
    { ...module, graphs: new Map([...module.graphs, ["gradients", graph]]) },
    parsePipeline("differentiate"),
  );
  const weights = initialOf(whole);
  const inputs = { x: floats([2, 2], [1, 2, 3, 4]), t: floats([2, 1], [1, 0]) };
  const { outputs } = runGraph(whole, "gradients", inputs, weights, { N: 2 });
  const { updates } = runGraph(whole, "train_step", inputs, weights, { N: 2 });
  expect(Object.keys(outputs)).toEqual(["dense.kernel", "dense.bias"]);
  for (const [name, gradient] of Object.entries(outputs))
    gradient.data.forEach((value, i) => {
      expect(value).toBeCloseTo(weights.get(name)!.data[i]! - updates.get(name)!.data[i]!, 12);
    });
});
