// The CNN of the shared reference trained on WebGPU: its losses follow PyTorch's.

import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { loadSource, requirePlan } from "../../../src/cli/source.ts";
import { compile, loadGpu } from "../../../src/compile.ts";
import { readTensors } from "../../../src/formats/node/files.ts";
import { loadTrainingData } from "../../../src/train/data/load.ts";
import { train } from "../../../src/train/loop.ts";
import { dataFiles } from "../../../src/train/node/data-files.ts";
import { columnTypes } from "../../../src/train/session.ts";
import { shared } from "../../shared.ts";
import { swiftShader } from "../../support/webgpu.ts";

const present = existsSync(shared("reference/keras-cnn")) && existsSync(shared("datasets"));

/** SwiftShader takes about a third of a second for a step. Over 60 steps (STEPS=60) the largest difference was 1.54e-3. */
const steps = Number(process.env.STEPS ?? 12);

it.skipIf(!present)(
  "trains on WebGPU with PyTorch's losses within 5e-3 (needs the shared reference)",
  async () => {
    const program = shared("models/mnist_cnn.dlm");
    const source = loadSource(program);
    const plan = { ...requirePlan(source, program), epochs: 1 };
    const graphs = ["init", "train_step", "eval_step", "metrics"];
    const compiled = compile(source.module, { graphs, target: "webgpu" });
    const { data } = await loadTrainingData(plan, columnTypes(compiled.module, plan), {
      ...dataFiles(shared("datasets")),
      limit: steps * 32,
    });
    const executable = await loadGpu(compiled, { gpu: swiftShader() });
    const losses: number[] = [];
    await train({
      executable,
      module: compiled.module,
      plan,
      data,
      shuffle: false,
      initial: await readTensors(shared("reference/keras-cnn/initial.safetensors")),
      report: (event) => {
        if (event.event === "step") losses.push(event.loss);
      },
    });
    executable.dispose();
    const expected: readonly number[] = JSON.parse(
      readFileSync(shared("reference/keras-cnn/losses.json"), "utf8"),
    ).loss_f64;
    expect(losses).toHaveLength(steps);
    const largest = Math.max(...losses.map((loss, i) => Math.abs(loss - expected[i]!)));
    expect(largest).toBeLessThan(5e-3);
  },
  300_000,
);
