// What is told of a model's answers: the table of classes and the rows where it is wrong and most sure.

import { describe, expect, it } from "vitest";
import type { Executable } from "../../src/backends/backend.ts";
import type { Tensor } from "../../src/ir/dtype.ts";
import type { Dataset } from "../../src/train/data/dataset.ts";
import { classScores, predictions } from "../../src/train/predictions.ts";
import type { Session } from "../../src/train/session.ts";

/** A model whose probabilities are its input. */
const session: Session = {
  executable: {
    run: (_, { x }) => ({ size: { dtype: "f32", shape: [], data: Float32Array.of(1) }, probs: x! }),
    read: () => {
      throw new Error("no weights");
    },
    write: () => {},
  } satisfies Executable,
  globals: [],
  inputs: { infer: ["x"] },
};
const f32 = (shape: readonly number[], ...values: number[]): Tensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(values),
});
const x = f32([5, 3], 0.75, 0.125, 0.125, 0.5, 0.375, 0.125, 0.875, 0, 0.125, 0, 1, 0, 0.25, 0.25, 0.5);
const label: Tensor = { dtype: "i32", shape: [5], data: Int32Array.of(0, 1, 2, -1, 2) };
const data: Dataset = { rows: 5, columns: { x, label }, classes: { label: ["a", "b", "c"] } };
const options = { batch: 2, seed: 0, inputs: ["x"], targets: ["label"] };

describe("predictions", () => {
  it("count the classes, leave out rows without a label, and list the surest mistakes first", async () => {
    expect(await predictions(session, data, options)).toEqual({
      target: "label",
      output: "probs",
      names: ["a", "b", "c"],
      rows: 4,
      confusion: [
        [1, 0, 0],
        [1, 0, 0],
        [1, 0, 1],
      ],
      wrong: [
        { row: 2, values: [0.875, 0, 0.125], label: 2, said: 0, scores: [0.875, 0, 0.125] },
        { row: 1, values: [0.5, 0.375, 0.125], label: 1, said: 0, scores: [0.5, 0.375, 0.125] },
      ],
      shape: [3],
    });
  });

  it("read one-hot labels, and leave numbers that are no classes alone", async () => {
    const hot = f32([5, 3], 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1);
    const found = await predictions(session, { ...data, columns: { x, label: hot } }, options);
    expect(found?.confusion).toEqual([
      [3, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    expect(await predictions(session, { ...data, columns: { x, label: x } }, options)).toBeUndefined();
    expect(await predictions({ ...session, inputs: {} }, data, options)).toBeUndefined();
  });

  it("count the answers of rows that have several, and show none of them", async () => {
    const scores: Tensor = { ...x, shape: [1, 5, 3] };
    const columns = { x: scores, label: { ...label, shape: [1, 5] } };
    const found = await predictions(session, { ...data, rows: 1, columns }, options);
    expect(found).toMatchObject({ rows: 4, wrong: [], shape: [5, 3] });
  });

  it("end when they are asked to", async () => {
    expect(await predictions(session, data, { ...options, pause: async () => true })).toBeUndefined();
  });

  it("give precision, recall and F1 of each class", () => {
    const scores = classScores([
      [3, 1],
      [2, 0],
    ]);
    expect(scores).toEqual([
      { precision: 0.6, recall: 0.75, f1: 3 / 4.5, rows: 4 },
      { precision: 0, recall: 0, f1: 0, rows: 2 },
    ]);
  });
});
