// Rows and classes that count more than others, and rows that are mixed, from the text of a program to the loss of an epoch.

import { describe, expect, it } from "vitest";
import { compile, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { loadTrainingData } from "../../src/train/data/load.ts";
import { train } from "../../src/train/loop.ts";
import { columnTypes } from "../../src/train/session.ts";

const x = [3, -1, 2, 0.5];
const label = [0, 1, 1, 1];
const scale = 0.7;

/** The loss of the only epoch of a model that has logits ±0.7·x and learns nothing. */
async function lossOf(data: string, loss: string, target = "target label: i32[N]"): Promise<number> {
  const text = `model M(x: f32[N]) -> (logits: f32[N, 2]) {
  param w: f32[] ~ constant(${scale})
  logits = stack([w * x, -w * x], axis: -1)
}
train M {
  ${target}
  data: ${data}
  loss: ${loss}
  optimizer: sgd(lr: 0)
  epochs: 1
  seed: 2
}`;
  const { module, plan, diagnostics } = compileSource({ name: "m.dlm", text }, () => undefined);
  if (!module || !plan) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  const compiled = compile(module, { graphs: ["init", "train_step", "eval_step", "metrics"] });
  const read = (): never => {
    throw new Error("there are no files");
  };
  const loaded = await loadTrainingData(plan, columnTypes(compiled.module, plan), { read });
  const { progress } = await train({ executable: load(compiled), module: compiled.module, plan, ...loaded });
  return Number(progress.history[0]?.metrics.loss);
}

const rows = `rows(x: [${x}], label: [${label}]`;
/** -log softmax of the right class. */
const losses = x.map((value, i) => Math.log1p(Math.exp((label[i] === 0 ? -2 : 2) * scale * value)));
const mean = (weights: readonly number[]): number =>
  losses.reduce((sum, value, i) => sum + weights[i]! * value, 0) / weights.reduce((sum, weight) => sum + weight, 0);

describe("a training", () => {
  it("weighs rows by a column of the data", async () => {
    const weight = "target label: i32[N]\n  target weight: f32[N]";
    const loss = "cross_entropy(logits, label, row_weights: weight)";
    const found = await lossOf(`${rows}, weight: [1, 2, 0, 4])`, loss, weight);
    expect(found).toBeCloseTo(mean([1, 2, 0, 4]), 6);
    // By class_weights both classes weigh the same together.
    const balanced = await lossOf(`${rows}) |> class_weights`, loss, weight);
    expect(balanced).toBeCloseTo(mean([3, 1, 1, 1]), 6);
    expect(await lossOf(`${rows}, weight: [0, 0, 0, 0])`, loss, weight)).toBe(0);
  });

  it("weighs classes by numbers in the program", async () => {
    const loss = "cross_entropy(logits, label, class_weights: array([5, 0.5]))";
    expect(await lossOf(`${rows})`, loss)).toBeCloseTo(mean([5, 0.5, 0.5, 0.5]), 6);
  });

  it("mixes rows and their labels alike", async () => {
    const target = "target label: f32[N, 2]";
    const data = `${rows}) |> one_hot(label: 2)`;
    // Every row is a mean of itself and another, and so is its label: what is linear in both stays what it was in the sum.
    const loss = "sum(logits[:, 0] + 10 * label[:, 0]) / 4";
    const plain = await lossOf(data, loss, target);
    expect(plain).toBeCloseTo((scale * (3 - 1 + 2 + 0.5) + 10) / 4, 6);
    const product = "mean(logits[:, 0] * label[:, 0])";
    expect(await lossOf(`${data} |> mixup(1)`, product, target)).not.toBeCloseTo(
      await lossOf(data, product, target),
      3,
    );
  });
});
