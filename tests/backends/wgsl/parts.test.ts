// What whole tiles leave of a batch has a dispatch of its own, and none where they leave nothing.

import { expect, it } from "vitest";
import { countsOf } from "../../../src/backends/wgsl/counts.ts";
import { renderPlan } from "../../../src/backends/wgsl/render.ts";
import { compile } from "../../../src/compile.ts";
import { compileSource } from "../../../src/dsl/compile-source.ts";
import { webgpuTarget } from "../../../src/ir/target.ts";

it.each([
  [1, 1],
  [5, 2],
  [64, 1],
])("a dense layer for a batch of %i takes %i", (N, dispatches) => {
  // Ten columns are two vectors and a rest, which share the dispatch of their rows.
  const text = "model Dense(x: f32[N, 32]) -> (y: f32[N, 10]) { y = x |> dense(10) }";
  const { module } = compileSource({ name: "dense.dlm", text }, () => undefined);
  const { programs } = compile(module!, { target: "webgpu", graphs: ["infer"] });
  const counts = countsOf(renderPlan(programs, webgpuTarget.groups), "infer", { N });
  expect(counts.dispatches).toBe(dispatches);
});
