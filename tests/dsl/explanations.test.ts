// The methods that explain, on models whose explanation is known in closed form.

import { expect, it } from "vitest";
import { floats, initialOf, messagesOf, moduleOf, runGraph } from "./elaborated.ts";

const rows = floats([2, 3], [1, 2, -1, 0.5, -2, 3]);

/** The heat that a method gives two rows of three columns, for class 0. */
function heatOf(scores: string, method: string): { heat: number[]; scores: number[] } {
  const module = moduleOf(`
model Scorer(x: f32[N, 3]) -> (y: f32[N, 2]) {
  y = ${scores}
}
model Explained(x: f32[N, 3]) -> (heat: f32[N, 3], scores: f32[N, 2]) {
  scores = Scorer(x)
  classes = zeros_like(scores) + one_hot(array([0], dtype: i32), 2)
  heat = ${method}
}`);
  const { outputs } = runGraph(module, "infer", { x: rows }, initialOf(module), { N: 2 });
  return { heat: [...outputs.heat!.data], scores: [...outputs.scores!.data] };
}

const linear = "x @ array([[2, 0], [-3, 0], [0.5, 1]])";
const curved = "tanh(x @ array([[0.2, 1], [-0.3, 2], [0.5, 1]])) * exp(x[:, 0:1])";

it("saliency is the size of the slopes of the class asked about", () => {
  expect(heatOf(linear, "saliency(x, Scorer, classes)").heat).toEqual([2, 3, 0.5, 2, 3, 0.5]);
});

it("integrated gradients add up to the difference from the baseline's score", () => {
  const { heat, scores } = heatOf(curved, "integrated_gradients(x, Scorer, classes, steps: 200)");
  // The score at the baseline 0 is tanh(0) = 0. The midpoint rule with 200 pieces is exact to about 1e-5 here.
  expect(heat[0]! + heat[1]! + heat[2]!).toBeCloseTo(scores[0]!, 4);
  expect(heat[3]! + heat[4]! + heat[5]!).toBeCloseTo(scores[2]!, 4);
});

it("occlusion takes out one column after the other", () => {
  // 2 · 1, -3 · 2, 0.5 · -1; and for the second row, from a baseline of 1: 2 · (0.5 - 1) …
  expect(heatOf(linear, "occlusion(x, Scorer, classes)").heat.slice(0, 3)).toEqual([2, -6, -0.5]);
  expect(heatOf(linear, "occlusion(x, Scorer, classes, baseline: 1)").heat.slice(3)).toEqual([-1, 9, 1]);
});

it("occlusion hides squares of images, smaller ones at the far edges", () => {
  const module = moduleOf(`
model Scorer(x: f32[N, 3, 5, 1]) -> (y: f32[N, 1]) {
  y = reshape(sum(x, axis: [1, 2]), [N, 1])
}
model Explained(x: f32[N, 3, 5, 1]) -> (heat: f32[N, 3, 5, 1]) {
  heat = occlusion(x, Scorer, ones_like(Scorer(x)), patch: 2)
}`);
  const x = floats([1, 3, 5, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  const { outputs } = runGraph(module, "infer", { x }, new Map(), { N: 1 });
  const [a, b, c, d, e, f] = [1 + 2 + 6 + 7, 3 + 4 + 8 + 9, 5 + 10, 11 + 12, 13 + 14, 15];
  expect([...outputs.heat!.data]).toEqual([a, a, b, b, c, a, a, b, b, c, d, d, e, e, f]);
});

it("Grad-CAM weighs features by their mean slopes, leaves out what speaks against, and enlarges linearly", () => {
  const module = moduleOf(`
block features(x: f32[N, 2, 2, 2]) = 1 * x
model Scorer(x: f32[N, 2, 2, 2]) -> (y: f32[N, 1]) {
  y = reshape(sum(features(x) * array([1, -2]), axis: [1, 2, 3]), [N, 1])
}
model Explained(x: f32[N, 2, 2, 2]) -> (heat: f32[N, 2, 4]) {
  score = sum(Scorer(x))
  heat = grad_cam(made_in("Scorer/features"), score, [2, 4])
}`);
  const x = floats([1, 2, 2, 2], [4, 0, 0, 5, 8, 1, 1, 0]);
  // The map is [[4, max(-10, 0)], [8 - 2, 1]], and a row [a, b] becomes [a, (3a + b) / 4, (a + 3b) / 4, b].
  const expected = [4, 3, 1, 0, 6, 4.75, 2.25, 1];
  expect([...runGraph(module, "infer", { x }, new Map(), { N: 1 }).outputs.heat!.data]).toEqual(expected);
});

it("made_in lists the calls that there are where a path leads nowhere", () => {
  const program = 'model M(x: f32[N, 2]) -> (y: f32[N, 2]) {\n  y = relu(x) + made_in("gelu")\n}';
  expect(messagesOf(program)).toEqual(["made_in: nothing was made in gelu"]);
});
