// What is collected for the report: spreads, means of losses, and the rows where a classifier is wrong.

import { describe, expect, it } from "vitest";
import type { Executable } from "../../src/backends/backend.ts";
import { histogramOf } from "../../src/train/histogram.ts";
import { createObserver, meansOf } from "../../src/train/observe.ts";
import type { Session } from "../../src/train/session.ts";

const f32 = (shape: readonly number[], values: readonly number[]) =>
  ({ dtype: "f32", shape, data: Float32Array.from(values) }) as const;

/** Scores are the input itself; the only parameter is `w`. */
const executable: Executable = {
  run: (graph, { x }) => (graph === "infer" ? { scores: x! } : { w: f32([2], [0.5, -0.5]) }),
  read: () => f32([2], [1, 3]),
  write: () => {},
};
const session: Session = {
  executable,
  globals: [{ name: "w", type: { dtype: "f32", shape: [2] }, role: "parameter", initializer: "", location: undefined }],
  inputs: { infer: ["x"], gradients: ["x"] },
};

describe("histogramOf", () => {
  it("counts in equal pieces, the greatest number in the last", () => {
    const { low, high, mean, deviation, counts } = histogramOf([0, 1, 2, 3, 4], 2);
    expect({ low, high, mean, deviation, counts }).toEqual({
      low: 0,
      high: 4,
      mean: 2,
      deviation: Math.sqrt(2),
      counts: [2, 3],
    });
  });

  it("takes equal numbers, none, and some that are not finite", () => {
    expect(histogramOf([7, 7], 2)).toMatchObject({ low: 7, high: 7, counts: [2, 0] });
    expect(histogramOf([], 2)).toEqual({ low: 0, high: 0, mean: 0, deviation: 0, counts: [0, 0] });
    expect(histogramOf([Number.NaN, 1, Number.POSITIVE_INFINITY], 1)).toMatchObject({ low: 1, high: 1, counts: [1] });
  });
});

it("takes means of neighbouring losses, all of them counted once", () => {
  expect(meansOf([1, 2, 3, 4, 5], 2)).toEqual([1.5, 4]);
  expect(meansOf([1, 2], 5)).toEqual([1, 2]);
  expect(meansOf([], 5)).toEqual([]);
});

it("observes an epoch: steps, losses, the spread of weights and of gradients", async () => {
  const { observe, observations } = createObserver({
    session,
    seed: 0,
    gradients: { graph: "gradients", columns: {} },
    memory: () => 5,
  });
  const place = { epoch: 1, epochs: 1 };
  for (const loss of [3, 1]) observe({ event: "step", ...place, step: 1, steps: 2, loss, learningRate: loss / 10 });
  observe({ event: "epoch", ...place, metrics: {} });
  expect(await observations()).toMatchObject([
    {
      epoch: 1,
      steps: 2,
      losses: [3, 1],
      learningRate: 0.1,
      memory: 5,
      weights: { w: { low: 1, high: 3 } },
      gradients: { w: { mean: 0 } },
    },
  ]);
});
