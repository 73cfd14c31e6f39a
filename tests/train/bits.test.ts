// Two runs with one seed give the same bits: on each target, for any number of threads, and also where one is stopped in the middle of
// an epoch and resumed, with augmentation and dropout.

import { describe, expect, it } from "vitest";
import type { Tensors } from "../../src/backends/backend.ts";
import { compile, load, type TargetName } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { loadTrainingData } from "../../src/train/data/load.ts";
import type { TrainingEvent } from "../../src/train/events.ts";
import { train } from "../../src/train/loop.ts";
import { columnTypes, evaluate, sessionOf } from "../../src/train/session.ts";
import { validationSplit } from "../../src/train/split.ts";
import { memoryStore } from "../../src/train/store.ts";
import { loadWeights } from "../../src/train/weights.ts";

const text = `
model Reader(image: f32[N, 28, 28, 1]) -> (logits: f32[N, 10]) {
  logits = image |> conv2d(8, kernel: 3, stride: 2) |> batch_norm |> relu |> dropout(0.2) |> flatten |> dense(64) |> relu |> dense(10)
}

train Reader {
  target label: f32[N, 10]
  data: digits(150) |> one_hot(label: 10) |> augment(shift: 2, rotate: 10, noise: 0.1, cutout: 5) |> mixup(0.3)
  validation: 20%
  loss: cross_entropy(logits, label)
  optimizer: adam(lr: reduce_on_plateau(lr: cosine_decay(1e-2, steps: 8), watched: val_loss))
  clip: global_norm(1.0)
  ema: 0.9
  epochs: 2
  batch: 32
  seed: 9
}
`;
const { module, plan, diagnostics } = compileSource({ name: "reader.dlm", text }, () => undefined);

const noFiles = {
  read: async () => {
    throw new Error("there are no files");
  },
};

/** The files of a run; `stop` ends it after so many steps, and another executable resumes it. */
async function run(target: TargetName, threads: number, stop?: number): Promise<Map<string, Uint8Array>> {
  if (!module || !plan) throw new Error(JSON.stringify(diagnostics));
  const graphs = ["init", "train_step", "eval_step", "metrics"];
  const files = new Map<string, Uint8Array>();
  for (const resume of stop === undefined ? [false] : [false, true]) {
    const compiled = compile(module, { graphs, target, fma: false });
    const executable = load(compiled, { threads, notice: () => {} });
    const { data } = await loadTrainingData(plan, columnTypes(compiled.module, plan), noFiles);
    const controller = new AbortController();
    let steps = 0;
    const report = ({ event }: TrainingEvent): void => {
      if (event === "step" && !resume && ++steps === stop) controller.abort();
    };
    const store = memoryStore(files);
    const { signal } = controller;
    const { status } = await train({ executable, module: compiled.module, plan, data, store, resume, report, signal });
    expect(status).toBe(stop !== undefined && !resume ? "interrupted" : "done");
    executable.dispose?.();
  }
  return files;
}

/** Of the rows held back, with these weights. */
async function lossOf(weights: Tensors): Promise<unknown> {
  if (!module || !plan) throw new Error("the program has mistakes");
  const compiled = compile(module, { graphs: ["eval_step", "metrics"] });
  const executable = load(compiled);
  loadWeights(executable, compiled.module.globals.values(), weights);
  const { data } = await loadTrainingData(plan, columnTypes(compiled.module, plan), noFiles);
  const { validation } = validationSplit(data, plan);
  return (await evaluate(sessionOf(executable, compiled.module), validation!, plan))?.loss;
}

const results = (files: Map<string, Uint8Array>) =>
  ["weights.safetensors", "history.json"].map((name) => files.get(name));

describe("a training with running means of its weights", () => {
  it("keeps the means, and goes on with the weights themselves", async () => {
    const files = await run("js", 1);
    const tensorsOf = (name: string) => readSafetensors(files.get(name)!, name).tensors;
    const [weights, checkpoint] = [tensorsOf("weights.safetensors"), tensorsOf("checkpoint.safetensors")];
    for (const name of ["conv2d.kernel", "dense_1.bias"]) {
      expect(weights[name]).toEqual(checkpoint[`current/ema.average.${name}`]);
      expect(weights[name]).not.toEqual(checkpoint[`current/${name}`]);
    }
    expect(weights["batch_norm.mean"]).toEqual(checkpoint["current/batch_norm.mean"]);
    // What is told of the rows held back is what the weights that are kept say of them.
    const { epochs } = JSON.parse(new TextDecoder().decode(files.get("history.json")));
    expect(await lossOf(weights)).toBe(epochs.at(-1).val_loss);
  });
});

describe("training gives the same bits", () => {
  it.each([
    ["js", [1]],
    ["wasm", [1, 2, 3]],
  ] as const)("on %s, for every number of threads", async (target, counts) => {
    const [first, ...others] = await Promise.all(
      [...counts, 1].map(async (threads) => results(await run(target, threads))),
    );
    expect(first?.every((bytes) => bytes !== undefined && bytes.length > 0)).toBe(true);
    for (const other of others) expect(other).toEqual(first);
  });

  it.each(["js", "wasm"] as const)("on %s, where it is stopped in an epoch and resumed", async (target) => {
    const expected = results(await run(target, 1));
    // Each epoch has four steps.
    for (const stop of [2, 7])
      expect(results(await run(target, 2 - (target === "js" ? 1 : 0), stop))).toEqual(expected);
  });
});
