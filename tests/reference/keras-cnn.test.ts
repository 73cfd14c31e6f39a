// The primer's CNN, trained by PyTorch: our losses follow its losses, and its weights give its logits.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadSource, requirePlan } from "../../src/cli/source.ts";
import { withWeights } from "../../src/cli/weights.ts";
import { compile, load } from "../../src/compile.ts";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { readTensors } from "../../src/formats/node/files.ts";
import { loadTrainingData } from "../../src/train/data/load.ts";
import { train } from "../../src/train/loop.ts";
import { dataFiles } from "../../src/train/node/data-files.ts";
import { columnTypes } from "../../src/train/session.ts";
import { shared } from "../shared.ts";

const present = existsSync(shared("reference/keras-cnn")) && existsSync(shared("datasets"));

describe.skipIf(!present).each(["js", "wasm"] as const)(
  "the CNN of PyTorch as %s (needs the shared reference)",
  (target) => {
    const program = shared("models/mnist_cnn.dlm");

    it("gives PyTorch's logits to 1e-4 for its trained weights", async () => {
      // The same program, which gives its logits out besides the probabilities.
      const text = readFileSync(program, "utf8").replace("-> (probs:", "-> (logits: f32[N, classes], probs:");
      const { module } = compileSource({ name: "mnist_cnn.dlm", text }, () => undefined);
      const weights = shared("reference/keras-cnn/weights.safetensors");
      const { executable } = await withWeights(module!, ["infer"], weights, target);
      const samples = await readTensors(shared("reference/keras-cnn/samples.safetensors"));
      const outputs = await executable.run("infer", { image: samples.image! });
      const difference = (name: string): number =>
        Math.max(...Array.from(outputs[name]!.data, (value, i) => Math.abs(value - samples[name]!.data[i]!)));
      expect(difference("logits")).toBeLessThan(1e-4);
      expect(difference("probs")).toBeLessThan(1e-5);
    });

    it("follows PyTorch's first 60 losses within 3e-3, in the order of the file", async () => {
      const source = loadSource(program);
      const plan = { ...requirePlan(source, program), epochs: 1 };
      // As dlm train compiles it.
      const graphs = ["init", "train_step", "eval_step", "metrics"];
      const compiled = compile(source.module, { graphs, target, fma: false });
      const { data } = await loadTrainingData(plan, columnTypes(compiled.module, plan), {
        ...dataFiles(shared("datasets")),
        limit: 60 * 32,
      });
      const losses: number[] = [];
      await train({
        executable: load(compiled),
        module: compiled.module,
        plan,
        data,
        shuffle: false,
        initial: await readTensors(shared("reference/keras-cnn/initial.safetensors")),
        report: (event) => {
          if (event.event === "step") losses.push(event.loss);
        },
      });
      const expected: readonly number[] = JSON.parse(
        readFileSync(shared("reference/keras-cnn/losses.json"), "utf8"),
      ).loss_f64;
      expect(losses).toHaveLength(expected.length);
      const largest = Math.max(...losses.map((loss, i) => Math.abs(loss - expected[i]!)));
      expect(largest).toBeLessThan(3e-3);
    }, 300_000);
  },
);
